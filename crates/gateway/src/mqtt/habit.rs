//! How a device writes `type`, and wants it written (mqtt.md Q3-2).

use crosstalk_wire::mqtt::im::TypeForm;

/// What the dialect remembers of a registered device: how it wants `type` written, and
/// whether it has said so (mqtt.md Q3-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Habit {
    pub(super) form: TypeForm,
    pub(super) is_fixed: bool,
}

/// What marks a form that the device has asked for.
const FIXED: char = '=';

impl Habit {
    /// From the stored form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let named = text.strip_prefix(FIXED);
        let form = TypeForm::from_format(named.unwrap_or(text))?;
        let is_fixed = named.is_some();
        Some(Self { form, is_fixed })
    }

    /// The stored form.
    pub(super) fn text(self) -> String {
        let form = match self.form {
            TypeForm::Code => "code",
            TypeForm::String => "string",
            TypeForm::Name => "name",
        };
        if self.is_fixed {
            format!("{FIXED}{form}")
        } else {
            form.to_owned()
        }
    }
}

/// The habit of a device that has said how it wants `type` written, to be kept with its
/// registration.
#[must_use]
pub fn mqtt_habit(form: TypeForm) -> String {
    let is_fixed = true;
    Habit { form, is_fixed }.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn habits_come_back() {
        for form in [TypeForm::Code, TypeForm::String, TypeForm::Name] {
            for is_fixed in [false, true] {
                let habit = Habit { form, is_fixed };
                assert_eq!(Habit::parse(&habit.text()), Some(habit));
            }
        }
        assert_eq!(Habit::parse(""), None);
        assert_eq!(mqtt_habit(TypeForm::Name), "=name");
    }
}
