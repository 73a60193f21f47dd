//! What people see of a user, and how it is changed: member by member.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The longest name, characters.
pub const MAX_NAME_CHARS: usize = 100;
/// The longest address of a picture, characters.
pub const MAX_AVATAR_CHARS: usize = 2048;
/// The longest signature, characters.
pub const MAX_SIGNATURE_CHARS: usize = 500;
/// The longest location, characters.
pub const MAX_LOCATION_CHARS: usize = 200;
/// The largest object of the application's own, bytes of JSON.
pub const MAX_CUSTOM_BYTES: usize = 4 << 10;
/// The longest address of mail, characters.
const MAX_EMAIL_CHARS: usize = 254;
/// The longest name of a language, characters.
const MAX_LANGUAGE_CHARS: usize = 35;
/// What a gender may be called.
const GENDERS: [&str; 3] = ["male", "female", "other"];

/// A user's profile. What stands in the store and is not known here is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// What people call them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where their picture is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// `male`, `female` or `other`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// What they say of themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthday: Option<String>,
    /// Where they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Shown to themselves and the application only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Shown to themselves and the application only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The language tag of what they like to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The application's own object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom: Option<Map<String, Value>>,
}

impl Profile {
    /// The profile as it is stored; an empty one where that is none.
    #[must_use]
    pub fn of(stored: Option<&str>) -> Self {
        stored
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default()
    }

    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> String {
        // Strings and an object of JSON values always encode.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What others see of it.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.phone = None;
        self.email = None;
        self
    }
}

/// What a change says of one member: `None` = it stays, `Some(None)` = it is emptied.
type Patch<T> = Option<Option<T>>;

/// A change of a profile: what is `None` stays, what is `Some(None)` is emptied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ProfileChange {
    /// New name.
    #[serde(deserialize_with = "nullable")]
    pub name: Patch<String>,
    /// New picture.
    #[serde(deserialize_with = "nullable")]
    pub avatar: Patch<String>,
    /// New gender.
    #[serde(deserialize_with = "nullable")]
    pub gender: Patch<String>,
    /// New signature.
    #[serde(deserialize_with = "nullable")]
    pub signature: Patch<String>,
    /// New birthday.
    #[serde(deserialize_with = "nullable")]
    pub birthday: Patch<String>,
    /// New location.
    #[serde(deserialize_with = "nullable")]
    pub location: Patch<String>,
    /// New phone number.
    #[serde(deserialize_with = "nullable")]
    pub phone: Patch<String>,
    /// New address of mail.
    #[serde(deserialize_with = "nullable")]
    pub email: Patch<String>,
    /// New language.
    #[serde(deserialize_with = "nullable")]
    pub language: Patch<String>,
    /// New object of the application's own; replaces the old one as a whole.
    #[serde(deserialize_with = "nullable")]
    pub custom: Patch<Map<String, Value>>,
}

fn nullable<'de, T, D>(from: D) -> Result<Patch<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(from).map(Some)
}

/// What is wrong with a member of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadProfile {
    /// Which member.
    pub field: &'static str,
    /// What is wrong.
    pub why: &'static str,
    /// It is well formed, and too large.
    pub too_large: bool,
}

impl ProfileChange {
    /// Whether it changes anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Looks at every member.
    ///
    /// # Errors
    /// The first that is wrong.
    pub fn check(&self) -> Result<(), BadProfile> {
        line("name", &self.name, MAX_NAME_CHARS)?;
        line("avatar", &self.avatar, MAX_AVATAR_CHARS)?;
        line("location", &self.location, MAX_LOCATION_CHARS)?;
        line("signature", &self.signature, MAX_SIGNATURE_CHARS)?;
        let shaped = [
            (
                "gender",
                &self.gender,
                is_gender as fn(&str) -> bool,
                "is one of male, female, other",
            ),
            ("birthday", &self.birthday, is_date, "is a date YYYY-MM-DD"),
            (
                "phone",
                &self.phone,
                is_phone,
                "is a + and 3 to 20 digits, the + may be left out",
            ),
            ("email", &self.email, is_email, "is no address of mail"),
            ("language", &self.language, is_language, "is a language tag"),
        ];
        for (field, text, is_so, why) in shaped {
            if let Some(Some(text)) = text
                && !is_so(text)
            {
                return Err(bad(field, why));
            }
        }
        if let Some(Some(custom)) = &self.custom {
            let bytes = serde_json::to_vec(custom).map_or(usize::MAX, |json| json.len());
            if bytes > MAX_CUSTOM_BYTES {
                return Err(BadProfile {
                    too_large: true,
                    ..bad("custom", "has at most 4096 bytes of JSON")
                });
            }
        }
        Ok(())
    }

    /// Applies the change.
    pub fn apply(&self, to: &mut Profile) {
        set(&self.name, &mut to.name);
        set(&self.avatar, &mut to.avatar);
        set(&self.gender, &mut to.gender);
        set(&self.signature, &mut to.signature);
        set(&self.birthday, &mut to.birthday);
        set(&self.location, &mut to.location);
        set(&self.phone, &mut to.phone);
        set(&self.email, &mut to.email);
        set(&self.language, &mut to.language);
        set(&self.custom, &mut to.custom);
    }
}

fn set<T: Clone>(new: &Patch<T>, to: &mut Option<T>) {
    if let Some(new) = new {
        to.clone_from(new);
    }
}

fn bad(field: &'static str, why: &'static str) -> BadProfile {
    BadProfile {
        field,
        why,
        too_large: false,
    }
}

fn line(field: &'static str, text: &Patch<String>, max: usize) -> Result<(), BadProfile> {
    let Some(Some(text)) = text else {
        return Ok(());
    };
    if text.chars().any(char::is_control) {
        return Err(bad(field, "has a control character"));
    }
    if text.chars().count() > max {
        return Err(bad(field, "is too long"));
    }
    Ok(())
}

fn is_gender(text: &str) -> bool {
    GENDERS.contains(&text)
}

fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut number = |digits: usize| {
        let part = parts.next()?;
        let is_number = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| part.parse::<u32>().ok()).flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(4), number(2), number(2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    parts.next().is_none() && (1..=days).contains(&day)
}

fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (3..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

fn is_email(text: &str) -> bool {
    let odd = |c: char| c.is_control() || c.is_whitespace();
    let parts = text.split_once('@');
    text.chars().count() <= MAX_EMAIL_CHARS
        && !text.chars().any(odd)
        && parts.is_some_and(|(local, host)| {
            !local.is_empty() && !host.is_empty() && !host.contains('@')
        })
}

fn is_language(text: &str) -> bool {
    let is_part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    text.len() <= MAX_LANGUAGE_CHARS && text.split('-').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(json: &str) -> ProfileChange {
        serde_json::from_str(json).expect("a change")
    }

    #[test]
    fn what_is_absent_stays_and_null_empties() {
        let mut profile = Profile::default();
        change(r#"{"name":"A","gender":"other","custom":{"x":1}}"#).apply(&mut profile);
        change(r#"{"gender":null,"phone":"+8613800000000"}"#).apply(&mut profile);
        assert_eq!(profile.name.as_deref(), Some("A"));
        assert_eq!(profile.gender, None);
        assert_eq!(profile.phone.as_deref(), Some("+8613800000000"));
        assert_eq!(Profile::of(Some(&profile.encode())), profile);
        assert_eq!(profile.public().phone, None);
        assert_eq!(Profile::of(Some("no JSON")), Profile::default());
        assert!(change("{}").is_empty());
        assert!(!change(r#"{"name":null}"#).is_empty());
    }

    #[test]
    fn each_member_is_looked_at() {
        let long = "é".repeat(MAX_NAME_CHARS);
        for good in [
            r#"{"birthday":"2000-02-29","email":"a@b","language":"zh-Hans-CN","phone":"110"}"#,
            r#"{"gender":"female","location":"成都","signature":"","name":null}"#,
            &format!(r#"{{"name":"{long}"}}"#),
        ] {
            assert_eq!(change(good).check(), Ok(()), "{good}");
        }
        let wrong = [
            ("name", format!("{long}x")),
            ("name", "a\\nb".to_owned()),
            ("avatar", "\\u0000".to_owned()),
            ("signature", "s".repeat(501)),
            ("location", "s".repeat(201)),
            ("gender", "m".to_owned()),
            ("birthday", "2001-02-29".to_owned()),
            ("birthday", "2001-13-01".to_owned()),
            ("birthday", "1-1-1".to_owned()),
            ("birthday", "2001-01-01-01".to_owned()),
            ("phone", "12".to_owned()),
            ("phone", "12a4".to_owned()),
            ("email", "a".to_owned()),
            ("email", "@b".to_owned()),
            ("email", "a b@c".to_owned()),
            ("language", "de_DE".to_owned()),
            ("language", String::new()),
        ];
        for (field, text) in wrong {
            let change = change(&format!(r#"{{"{field}":"{text}"}}"#));
            let found = change.check().map_err(|bad| bad.field);
            assert_eq!(found, Err(field), "{text}");
        }
        let large = change(&format!(r#"{{"custom":{{"x":"{}"}}}}"#, "y".repeat(4096)));
        assert!(large.check().is_err_and(|bad| bad.too_large));
    }
}
