//! Lists in pages. A cursor is opaque to callers: it holds the place after the last item in
//! the order of its list, so that items which come or go meanwhile move nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::Problem;

/// Items in a page, if the caller does not say.
const DEFAULT_LIMIT: u32 = 50;
/// Items in a page at most.
const MAX_LIMIT: u32 = 200;

/// How much of a list is wanted, and from where.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// At most this many items.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub(super) limit: Option<u32>,
    /// The `next_cursor` of the page before.
    pub(super) cursor: Option<String>,
}

impl Paging {
    /// How many items are wanted.
    pub(super) fn limit(&self) -> Result<u32, Problem> {
        limit(self.limit)
    }

    /// The place in the list `tag` after which to go on.
    pub(super) fn after<const N: usize>(&self, tag: &str) -> Result<Option<[i64; N]>, Problem> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        let place = decode(tag, cursor);
        place
            .map(Some)
            .ok_or_else(|| Problem::field("cursor", "is not one that this list gave"))
    }
}

/// Checks a wish for so many items.
pub(super) fn limit(wanted: Option<u32>) -> Result<u32, Problem> {
    let limit = wanted.unwrap_or(DEFAULT_LIMIT);
    if (1..=MAX_LIMIT).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::field(
            "limit",
            format_args!("must be between 1 and {MAX_LIMIT}"),
        ))
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The items, in the order of the list.
    pub(super) items: Vec<T>,
    /// Give this as `cursor` to get the next page; null when this is the last one.
    pub(super) next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A list that is whole in one page.
    pub(super) fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            next_cursor: None,
        }
    }
}

/// The place after which a list goes on, and how much is wanted: one more than is shown says
/// whether there is a next page.
pub(super) fn stretch(paging: &Paging, tag: &str) -> Result<(i64, u32), Problem> {
    let after = paging.after::<1>(tag)?.map_or(0, |[after]| after);
    Ok((after, paging.limit()? + 1))
}

/// A page of what was found; `place` says where an item stands.
pub(super) fn page_of<T, V>(
    mut found: Vec<T>,
    wanted: u32,
    tag: &str,
    place: impl Fn(&T) -> i64,
    view: impl FnMut(T) -> V,
) -> Page<V> {
    let limit = wanted.saturating_sub(1) as usize;
    let next_cursor = (found.len() > limit).then(|| {
        found.truncate(limit);
        found.last().map(|last| encode(tag, [place(last)]))
    });
    Page {
        items: found.into_iter().map(view).collect(),
        next_cursor: next_cursor.flatten(),
    }
}

/// The cursor for a place in the list `tag`.
pub(super) fn encode<const N: usize>(tag: &str, place: [i64; N]) -> String {
    let numbers = place.map(|number| number.to_string()).join(":");
    URL_SAFE_NO_PAD.encode(format!("{tag}:{numbers}"))
}

/// The place that a cursor of the list `tag` holds.
pub(super) fn decode<const N: usize>(tag: &str, cursor: &str) -> Option<[i64; N]> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let numbers = text.strip_prefix(tag)?.strip_prefix(':')?;
    let numbers: Result<Vec<i64>, _> = numbers.split(':').map(str::parse).collect();
    numbers.ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_as_they_went() {
        for place in [[0, 0], [1, -1], [i64::MIN, i64::MAX]] {
            let cursor = encode("c", place);
            assert_eq!(decode("c", &cursor), Some(place));
            assert_eq!(decode::<2>("d", &cursor), None, "of another list");
            assert_eq!(decode::<1>("c", &cursor), None, "of another shape");
        }
    }

    #[test]
    fn no_text_of_a_stranger_is_a_cursor() {
        let long = "A".repeat(10_000);
        for text in ["", "x", "!!!", "Yzp4", "Yzo", "YzoxOjI6Mw", "é", &long] {
            assert_eq!(decode::<2>("c", text), None, "{text}");
        }
    }

    #[test]
    fn limits_have_bounds() {
        assert_eq!(limit(None), Ok(50));
        assert_eq!(limit(Some(1)), Ok(1));
        assert_eq!(limit(Some(200)), Ok(200));
        assert!(limit(Some(0)).is_err());
        assert!(limit(Some(201)).is_err());
    }
}
