//! The message types and the forms in which `type` is written
//! (`mqtt.md` Q3-1 to Q3-3).

use std::borrow::Cow;

use serde_json::Value;

use super::tolerant;

/// What a message is.
#[repr(i8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MsgType {
    /// What the receiver does not know.
    Unknown = -1,
    /// Text.
    Text = 0,
    /// A picture.
    Image = 1,
    /// A voice message.
    Audio = 2,
    /// A film.
    Video = 3,
    /// A file.
    File = 4,
    /// A place.
    Location = 5,
    /// A notice.
    Notice = 6,
    /// Something for the program, not for the person.
    Background = 7,
    /// A step of a call.
    Call = 8,
    /// A message of an application.
    App = 9,
    /// Anything else that both ends agree on.
    Custom = 10,
    /// A report of an error in the client; not delivered to anybody.
    Exception = 11,
}

impl MsgType {
    /// Every type, by number.
    pub const ALL: [MsgType; 13] = [
        MsgType::Unknown,
        MsgType::Text,
        MsgType::Image,
        MsgType::Audio,
        MsgType::Video,
        MsgType::File,
        MsgType::Location,
        MsgType::Notice,
        MsgType::Background,
        MsgType::Call,
        MsgType::App,
        MsgType::Custom,
        MsgType::Exception,
    ];

    /// The number, unless a [`TypeTable`] says otherwise.
    #[must_use]
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// The name in capitals.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            MsgType::Unknown => "UNKNOWN",
            MsgType::Text => "TEXT",
            MsgType::Image => "IMAGE",
            MsgType::Audio => "AUDIO",
            MsgType::Video => "VIDEO",
            MsgType::File => "FILE",
            MsgType::Location => "LOCATION",
            MsgType::Notice => "NOTICE",
            MsgType::Background => "BACKGROUND",
            MsgType::Call => "CALL",
            MsgType::App => "APP",
            MsgType::Custom => "CUSTOM",
            MsgType::Exception => "EXCEPTION",
        }
    }

    /// The type with this name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<MsgType> {
        MsgType::ALL
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name))
    }

    const fn index(self) -> usize {
        (self as i8 + 1) as usize
    }
}

/// The numbers of the types: ours, or those of a tenant with other habits
/// (`mqtt.md` Q3-1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeTable {
    codes: [i64; MsgType::ALL.len()],
}

/// Why numbers make no table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TypeTableError {
    /// Two types would have the same number.
    #[error("two message types have the number {0}")]
    Taken(i64),
    /// The numbers of UNKNOWN and TEXT are the document's own.
    #[error("the number of {} is fixed", .0.name())]
    Fixed(MsgType),
}

impl Default for TypeTable {
    fn default() -> TypeTable {
        TypeTable {
            codes: MsgType::ALL.map(MsgType::code),
        }
    }
}

impl TypeTable {
    /// Our numbers with some replaced.
    ///
    /// # Errors
    ///
    /// See [`TypeTableError`].
    pub fn with_codes(codes: &[(MsgType, i64)]) -> Result<TypeTable, TypeTableError> {
        let mut table = TypeTable::default();
        for (kind, code) in codes {
            let is_fixed = matches!(kind, MsgType::Unknown | MsgType::Text);
            if is_fixed && kind.code() != *code {
                return Err(TypeTableError::Fixed(*kind));
            }
            table.codes[kind.index()] = *code;
        }
        let mut sorted = table.codes;
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(TypeTableError::Taken(pair[0])),
            None => Ok(table),
        }
    }

    /// The number of a type.
    #[must_use]
    pub const fn code_of(&self, kind: MsgType) -> i64 {
        self.codes[kind.index()]
    }

    /// The type with this number.
    #[must_use]
    pub fn type_of(&self, code: i64) -> Option<MsgType> {
        let index = self.codes.iter().position(|known| *known == code)?;
        Some(MsgType::ALL[index])
    }
}

/// How a device writes `type`, and wants it written (`mqtt.md` Q3-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TypeForm {
    /// A number: `0`.
    #[default]
    Code,
    /// A number in a string: `"0"`.
    String,
    /// A name: `"TEXT"`.
    Name,
}

impl TypeForm {
    /// The form that `typeFormat` of a registration names.
    #[must_use]
    pub fn from_format(format: &str) -> Option<TypeForm> {
        match format {
            "code" => Some(TypeForm::Code),
            "string" => Some(TypeForm::String),
            "name" => Some(TypeForm::Name),
            _ => None,
        }
    }
}

/// The value of `type`. What nobody knows is kept, to be relayed
/// (`mqtt.md` Q3-3).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TypeValue {
    /// A known type.
    Known(MsgType),
    /// A number that the table does not have.
    Code(i64),
    /// A name that is none of ours.
    Name(String),
}

impl TypeValue {
    /// Reads the JSON value of `type` and the form that it has; `None` if it
    /// is neither number nor text.
    #[must_use]
    pub fn from_json(value: &Value, table: &TypeTable) -> Option<(TypeValue, TypeForm)> {
        let of_code = |code| {
            table
                .type_of(code)
                .map_or(TypeValue::Code(code), TypeValue::Known)
        };
        match value {
            Value::Number(number) => Some((of_code(tolerant::whole(number)?), TypeForm::Code)),
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(match text.parse() {
                Ok(code) => (of_code(code), TypeForm::String),
                Err(_) => {
                    let known = MsgType::from_name(text).map(TypeValue::Known);
                    let value = known.unwrap_or_else(|| TypeValue::Name(text.clone()));
                    (value, TypeForm::Name)
                }
            }),
            _ => None,
        }
    }

    /// The value in this form. A number without a name stays a number, and a
    /// name without a number a name.
    #[must_use]
    pub fn to_json(&self, form: TypeForm, table: &TypeTable) -> Value {
        let code = match self {
            TypeValue::Known(kind) if form == TypeForm::Name => return kind.name().into(),
            TypeValue::Name(name) => return name.as_str().into(),
            TypeValue::Known(kind) => table.code_of(*kind),
            TypeValue::Code(code) => *code,
        };
        match form {
            TypeForm::String => code.to_string().into(),
            TypeForm::Code | TypeForm::Name => code.into(),
        }
    }

    /// The known type; what nobody knows counts as [`MsgType::Custom`], and so
    /// does -1 (`mqtt.md` Q3-3).
    #[must_use]
    pub const fn meaning(&self) -> MsgType {
        match self {
            TypeValue::Known(MsgType::Unknown) | TypeValue::Code(_) | TypeValue::Name(_) => {
                MsgType::Custom
            }
            TypeValue::Known(kind) => *kind,
        }
    }

    /// The value as text that does not depend on a table: our number, or the
    /// foreign one, or the foreign name.
    #[must_use]
    pub fn to_tag(&self) -> Cow<'_, str> {
        match self {
            TypeValue::Known(kind) => kind.code().to_string().into(),
            // Marked, so that it cannot be taken for one of ours.
            TypeValue::Code(code) => format!("#{code}").into(),
            TypeValue::Name(name) => name.into(),
        }
    }

    /// The value that [`Self::to_tag`] gave this text.
    #[must_use]
    pub fn from_tag(tag: &str) -> TypeValue {
        if let Some(code) = tag.strip_prefix('#').and_then(|code| code.parse().ok()) {
            return TypeValue::Code(code);
        }
        let known = tag
            .parse()
            .ok()
            .and_then(|code| TypeTable::default().type_of(code));
        known.map_or_else(|| TypeValue::Name(tag.to_owned()), TypeValue::Known)
    }
}

impl From<MsgType> for TypeValue {
    fn from(kind: MsgType) -> TypeValue {
        TypeValue::Known(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_its_place_number_and_name() {
        let table = TypeTable::default();
        for (index, kind) in MsgType::ALL.into_iter().enumerate() {
            assert_eq!(kind.index(), index);
            assert_eq!(table.type_of(table.code_of(kind)), Some(kind));
            assert_eq!(MsgType::from_name(kind.name()), Some(kind));
        }
        assert_eq!(MsgType::from_name("text"), Some(MsgType::Text));
        assert_eq!(table.type_of(12), None);
    }

    #[test]
    fn a_tenant_may_have_other_numbers() {
        let table = TypeTable::with_codes(&[(MsgType::Image, 101), (MsgType::Audio, 1)]);
        let table = table.expect("no number twice");
        assert_eq!(table.type_of(101), Some(MsgType::Image));
        assert_eq!(table.type_of(1), Some(MsgType::Audio));
        assert_eq!(table.type_of(2), None);
        assert_eq!(
            TypeTable::with_codes(&[(MsgType::Image, 2)]),
            Err(TypeTableError::Taken(2))
        );
        for fixed in [MsgType::Unknown, MsgType::Text] {
            let error = TypeTable::with_codes(&[(fixed, 99)]);
            assert_eq!(error, Err(TypeTableError::Fixed(fixed)));
            assert!(TypeTable::with_codes(&[(fixed, fixed.code())]).is_ok());
        }
    }

    #[test]
    fn tags_come_back() {
        let values = MsgType::ALL.map(TypeValue::Known);
        let foreign = [
            TypeValue::Code(55),
            TypeValue::Code(-7),
            // A tenant's own table leaves numbers of ours without a type.
            TypeValue::Code(2),
            TypeValue::Name("STICKER".into()),
            TypeValue::Name("#x".into()),
        ];
        for value in values.into_iter().chain(foreign) {
            assert_eq!(TypeValue::from_tag(&value.to_tag()), value);
        }
    }
}
