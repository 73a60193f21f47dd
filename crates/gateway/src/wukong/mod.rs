//! The WuKongIM dialect (protocols/wukong.md): its machine and its mapping to the core.

mod changes;
mod deliver;
pub(crate) mod machine;
pub(crate) mod map;
mod presence;
pub(crate) mod reasons;
pub(crate) mod settings;
pub(crate) mod told;
mod unacked;

#[cfg(test)]
mod tests;
