//! Every dialect with every other, through one server each. One module per subject.

mod administered;
mod cast;
mod expectations;
mod features;
mod group;
mod long;
mod offline;
mod order;
mod pairs;
mod read;
mod refusals;
mod resend;
mod revoke;
mod same;
mod several;
