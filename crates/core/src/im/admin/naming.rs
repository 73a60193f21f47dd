//! Names and other short texts that people see: the word lists hold for them as well. Words
//! that a moderator looks at concern messages only.

use std::borrow::Cow;

use serde_json::Value;

use super::super::Im;
use crate::channel::{ChannelChange, MemberChange};
use crate::deliver::{ChannelVerb, GroupVerb};
use crate::directory::UserChange;
use crate::id::Realm;
use crate::refusal::Refusal;
use crate::send::words::{Verdict, Words};

impl Im {
    /// A change of a user as people may see it.
    pub(in crate::im) fn seemly_user<'a>(
        &self,
        realm: &Realm,
        change: &'a UserChange,
    ) -> Result<Cow<'a, UserChange>, Refusal> {
        let words = self.words(realm);
        let says_nothing = change.members.is_empty() && change.status.is_none();
        if words.is_empty() || says_nothing {
            return Ok(Cow::Borrowed(change));
        }
        let mut change = change.clone();
        if let Some(status) = &mut change.status {
            clean(&words, status)?;
        }
        let members = &mut change.members;
        for text in [
            &mut members.name,
            &mut members.signature,
            &mut members.location,
        ] {
            if let Some(Some(text)) = text {
                clean(&words, text)?;
            }
        }
        if let Some(Some(custom)) = &mut members.custom {
            for member in custom.values_mut() {
                clean_all(&words, member)?;
            }
        }
        Ok(Cow::Owned(change))
    }

    /// A change of a channel as people may see it.
    pub(in crate::im) fn seemly_verb(
        &self,
        realm: &Realm,
        mut verb: ChannelVerb,
    ) -> Result<ChannelVerb, Refusal> {
        let words = self.words(realm);
        if words.is_empty() {
            return Ok(verb);
        }
        match &mut verb {
            ChannelVerb::Put(change) => clean_channel(&words, change)?,
            ChannelVerb::Members { changes, .. } => {
                for change in changes {
                    if let MemberChange::Nick(_, nick) = change {
                        clean(&words, nick)?;
                    }
                }
            }
            ChannelVerb::Group(_, verb) => match &mut **verb {
                GroupVerb::Create { change, .. } | GroupVerb::Update(change) => {
                    clean_channel(&words, change)?;
                }
                GroupVerb::Nick(_, text)
                | GroupVerb::Add(_, text)
                | GroupVerb::Invite(_, text)
                | GroupVerb::Join { message: text, .. } => clean(&words, text)?,
                _ => {}
            },
            ChannelVerb::Tell(_) | ChannelVerb::KeepOnly(_) | ChannelVerb::List(..) => {}
        }
        Ok(verb)
    }

    /// What one user tells another beside a request.
    pub(in crate::im) fn seemly_text(&self, realm: &Realm, text: &str) -> Result<String, Refusal> {
        let mut text = text.to_owned();
        clean(&self.words(realm), &mut text)?;
        Ok(text)
    }
}

fn clean_channel(words: &Words, change: &mut ChannelChange) -> Result<(), Refusal> {
    if let Some(name) = &mut change.name {
        clean(words, name)?;
    }
    if let Some(announcement) = &mut change.announcement {
        clean(words, &mut announcement.text)?;
    }
    Ok(())
}

/// The strings in a value of the application's own. How deep it may be its reader has checked.
fn clean_all(words: &Words, value: &mut Value) -> Result<(), Refusal> {
    match value {
        Value::String(text) => clean(words, text),
        Value::Array(items) => items.iter_mut().try_for_each(|it| clean_all(words, it)),
        Value::Object(members) => members.values_mut().try_for_each(|it| clean_all(words, it)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn clean(words: &Words, text: &mut String) -> Result<(), Refusal> {
    match words.judge(text).verdict {
        Verdict::Pass => {}
        Verdict::Mask(masked) => *text = masked,
        Verdict::Reject => return Err(Refusal::SensitiveWord),
    }
    Ok(())
}
