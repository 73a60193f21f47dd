//! May this sender say this here? The ordered checks, as data: each rule
//! looks at the same facts and allows, refuses, or passes on to the next.

use crate::channel::ChannelKind;
use crate::refusal::Refusal;

/// Everything the rules look at, gathered before they run.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools)]
pub struct Facts {
    /// Kind of the channel.
    pub kind: ChannelKind,
    /// What the edge found wrong with the draft (signature, decryption).
    pub fault: Option<Refusal>,
    /// The sender is a system account, or the application itself speaks.
    pub sender_is_system: bool,
    /// The sender is banned from the service.
    pub sender_banned: bool,
    /// The sender may not send anywhere.
    pub sender_send_ban: bool,
    /// The channel is banned; in a direct channel: the peer is.
    pub banned: bool,
    /// The channel is dissolved.
    pub disbanded: bool,
    /// Only owner, administrators and system accounts may send.
    pub muted_for_all: bool,
    /// The sender is the owner or an administrator of the channel.
    pub sender_moderates: bool,
    /// The sender alone is muted in this channel.
    pub sender_muted: bool,
    /// The sender takes part by the channel's very id (kinds 10 and 11).
    pub takes_part: bool,
    /// Direct: the peer exists, or does not have to.
    pub peer_known: bool,
    /// Direct: the peer is a system account.
    pub peer_is_system: bool,
    /// The peer's or the channel's deny list has the sender.
    pub denied: bool,
    /// The sender is a member.
    pub is_member: bool,
    /// An allow list is in force: the channel has one, or the realm is friends-only and the
    /// peer does not let strangers write.
    pub allow_list_in_force: bool,
    /// The sender is on it.
    pub allow_listed: bool,
}

/// What one rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No more rules: accepted.
    Allow,
    /// No more rules: refused.
    Refuse(Refusal),
    /// Ask the next rule.
    Next,
}

use Verdict::{Allow, Next, Refuse};

/// One named rule.
pub struct Rule {
    /// Its name, for tests and traces.
    pub name: &'static str,
    check: fn(&Facts) -> Verdict,
}

fn refuse_if(condition: bool, why: Refusal) -> Verdict {
    if condition { Refuse(why) } else { Next }
}

fn allow_if(condition: bool) -> Verdict {
    if condition { Allow } else { Next }
}

const fn rule(name: &'static str, check: fn(&Facts) -> Verdict) -> Rule {
    Rule { name, check }
}

/// The rules, in the order in which they are asked.
pub const RULES: [Rule; 19] = [
    rule("sender banned", |f| {
        refuse_if(
            f.sender_banned && !f.sender_is_system,
            Refusal::ChannelBanned,
        )
    }),
    rule("sender may not send", |f| {
        refuse_if(
            f.sender_send_ban && !f.sender_is_system,
            Refusal::SendBanned,
        )
    }),
    rule("fault found at the edge", |f| f.fault.map_or(Next, Refuse)),
    rule("channel banned", |f| {
        refuse_if(f.banned && !f.kind.is_public(), Refusal::ChannelBanned)
    }),
    rule("channel disbanded", |f| {
        refuse_if(
            f.disbanded && !f.kind.is_public(),
            Refusal::ChannelDisbanded,
        )
    }),
    rule("peer unknown", |f| {
        refuse_if(
            f.kind == ChannelKind::DIRECT && !f.peer_known,
            Refusal::NoSuchUser,
        )
    }),
    rule("open kind", |f| {
        allow_if(matches!(
            f.kind,
            ChannelKind::INFO | ChannelKind::CUSTOMER_SERVICE
        ))
    }),
    rule("part of an agent channel", |f| {
        allow_if(f.kind == ChannelKind::AGENT && f.takes_part)
    }),
    rule("own visitor channel", |f| {
        allow_if(f.kind == ChannelKind::VISITORS && f.takes_part)
    }),
    rule("system sender", |f| allow_if(f.sender_is_system)),
    rule("system peer", |f| {
        allow_if(f.kind == ChannelKind::DIRECT && f.peer_is_system)
    }),
    rule("denied", |f| refuse_if(f.denied, Refusal::Blocked)),
    rule("direct without allow list", |f| {
        allow_if(f.kind == ChannelKind::DIRECT && !f.allow_list_in_force)
    }),
    rule("direct with allow list", |f| {
        match (f.kind, f.allow_listed) {
            (ChannelKind::DIRECT, true) => Allow,
            (ChannelKind::DIRECT, false) => Refuse(Refusal::NotAllowListed),
            _ => Next,
        }
    }),
    rule("not a member", |f| {
        refuse_if(!f.is_member, Refusal::NotAMember)
    }),
    rule("moderator", |f| allow_if(f.sender_moderates)),
    rule("channel muted", |f| {
        refuse_if(f.muted_for_all, Refusal::Muted)
    }),
    rule("member muted", |f| {
        refuse_if(f.sender_muted, Refusal::Muted)
    }),
    rule("not on the allow list", |f| {
        refuse_if(
            f.allow_list_in_force && !f.allow_listed,
            Refusal::NotAllowListed,
        )
    }),
];

/// Asks the rules in order; what none of them decides is allowed.
///
/// # Errors
/// The refusal of the first rule that refuses.
pub fn judge(facts: &Facts) -> Result<(), Refusal> {
    for rule in &RULES {
        match (rule.check)(facts) {
            Next => {}
            Allow => return Ok(()),
            Refuse(why) => return Err(why),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
