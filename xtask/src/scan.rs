//! Rust source text as tokens and comments, just enough to tell code from prose.
//!
//! Not a parser: it knows strings (raw, byte and C strings too), nested comments, lifetimes and
//! raw identifiers, so that a word in a comment or a string is never taken for code. Input that
//! does not compile gives some tokens, never a panic.

/// What a token is; only as fine as the checks need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier or keyword; a raw identifier without its `r#`.
    Ident,
    /// One punctuation character, or `::`.
    Punct,
    /// A string literal; the text is what lies between the quotes, escapes untouched.
    Str,
    /// A number, a character or a lifetime.
    Other,
}

/// One token with the lines it covers (from 1).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) line: usize,
    pub(crate) last_line: usize,
    /// Part of code that only tests compile; `source` sets it.
    pub(crate) in_test: bool,
}

impl Token<'_> {
    /// Whether this is the given identifier or punctuation.
    pub(crate) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Ident | Kind::Punct) && self.text == text
    }
}

/// One comment, with its markers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comment<'a> {
    pub(crate) text: &'a str,
    pub(crate) line: usize,
    pub(crate) last_line: usize,
}

/// Splits `text` into tokens and comments.
pub(crate) fn scan(text: &str) -> (Vec<Token<'_>>, Vec<Comment<'_>>) {
    let mut scanner = Scanner {
        text,
        at: 0,
        line: 1,
        tokens: Vec::new(),
        comments: Vec::new(),
    };
    while scanner.at < text.len() {
        scanner.step();
    }
    (scanner.tokens, scanner.comments)
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    tokens: Vec<Token<'a>>,
    comments: Vec<Comment<'a>>,
}

impl<'a> Scanner<'a> {
    fn peek(&self, ahead: usize) -> u8 {
        self.text
            .as_bytes()
            .get(self.at + ahead)
            .copied()
            .unwrap_or(0)
    }

    fn step(&mut self) {
        match self.peek(0) {
            b'\n' => {
                self.line += 1;
                self.at += 1;
            }
            byte if byte.is_ascii_whitespace() => self.at += 1,
            b'/' if self.peek(1) == b'/' => self.comment(line_comment_end),
            b'/' if self.peek(1) == b'*' => self.comment(block_comment_end),
            b'"' => self.string(self.at + 1),
            b'\'' => self.quote(),
            byte if is_word(byte) => self.word(),
            b':' if self.peek(1) == b':' => self.push(Kind::Punct, self.at, self.at + 2),
            _ => {
                let width = self.text[self.at..]
                    .chars()
                    .next()
                    .map_or(1, char::len_utf8);
                self.push(Kind::Punct, self.at, self.at + width);
            }
        }
    }

    /// Adds the token `from..to` and goes on behind it.
    fn push(&mut self, kind: Kind, from: usize, to: usize) {
        let text = &self.text[from..to];
        let line = self.line;
        self.advance(to);
        self.tokens.push(Token {
            kind,
            text,
            line,
            last_line: self.line,
            in_test: false,
        });
    }

    fn advance(&mut self, to: usize) {
        self.line += self.text.as_bytes()[self.at..to]
            .iter()
            .filter(|&&b| b == b'\n')
            .count();
        self.at = to;
    }

    fn comment(&mut self, end: fn(&str) -> usize) {
        let rest = &self.text[self.at..];
        let text = &rest[..end(rest)];
        let line = self.line;
        self.advance(self.at + text.len());
        self.comments.push(Comment {
            text,
            line,
            last_line: self.line,
        });
    }

    /// A string with escapes whose content starts at `from`.
    fn string(&mut self, from: usize) {
        let bytes = self.text.as_bytes();
        let mut to = from;
        while to < bytes.len() && bytes[to] != b'"' {
            to += if bytes[to] == b'\\' { 2 } else { 1 };
        }
        self.literal(from, to, 1);
    }

    /// A raw string whose hashes start at `from`; false if it is none.
    fn raw_string(&mut self, from: usize) -> bool {
        let rest = &self.text[from..];
        let hashes = rest.bytes().take_while(|&b| b == b'#').count();
        if rest.as_bytes().get(hashes) != Some(&b'"') {
            return false;
        }
        let start = from + hashes + 1;
        let close = format!("\"{}", "#".repeat(hashes));
        let to = self.text[start..]
            .find(&close)
            .map_or(self.text.len(), |found| start + found);
        self.literal(start, to, close.len());
        true
    }

    /// Adds the string content `from..to` and goes on behind its closing mark.
    fn literal(&mut self, from: usize, to: usize, close: usize) {
        let end = self.text.len();
        let to = floor(self.text, to.min(end));
        self.push(Kind::Str, from.min(to), to);
        self.advance((to + close).min(end));
    }

    /// A character literal or a lifetime.
    fn quote(&mut self) {
        let rest = &self.text[self.at + 1..];
        let mut chars = rest.chars();
        let length = match (chars.next(), chars.next()) {
            (Some('\\'), _) => {
                let escape = rest.chars().nth(1).map_or(0, char::len_utf8);
                rest.get(1 + escape..)
                    .and_then(|tail| tail.find('\''))
                    .map(|at| at + 2 + escape)
            }
            (Some(first), Some('\'')) => Some(first.len_utf8() + 1),
            _ => None,
        };
        let lifetime = || rest.bytes().take_while(|&b| is_word(b)).count();
        let to = self.at + 1 + length.unwrap_or_else(lifetime);
        self.push(Kind::Other, self.at, to);
    }

    /// An identifier, a number, or the prefix of a string.
    fn word(&mut self) {
        let rest = &self.text[self.at..];
        let length = rest.bytes().take_while(|&b| is_word(b)).count();
        let (word, after) = (&rest[..length], self.at + length);
        match (word, self.text.as_bytes().get(after)) {
            ("b" | "c", Some(b'"')) => self.string(after + 1),
            ("b", Some(b'\'')) => {
                self.at = after;
                self.quote();
            }
            ("r" | "br" | "cr", Some(b'"' | b'#')) if self.raw_string(after) => {}
            ("r", Some(b'#')) => {
                let name = self.text[after + 1..]
                    .bytes()
                    .take_while(|&b| is_word(b))
                    .count();
                self.push(Kind::Ident, after + 1, after + 1 + name);
            }
            _ if word.as_bytes()[0].is_ascii_digit() => self.push(Kind::Other, self.at, after),
            _ => self.push(Kind::Ident, self.at, after),
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The last character boundary at or before `at`.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn line_comment_end(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

fn block_comment_end(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_kind(text: &str, kind: Kind) -> Vec<&str> {
        scan(text)
            .0
            .iter()
            .filter(|token| token.kind == kind)
            .map(|token| token.text)
            .collect()
    }

    #[test]
    fn words_in_comments_and_strings_are_not_identifiers() {
        let text =
            "let a = \"b \\\" c\"; // d\n/* e /* f */ g */ h(r#\"i \" j\"#, b\"k\", c\"l\");";
        assert_eq!(of_kind(text, Kind::Ident), ["let", "a", "h"]);
        assert_eq!(of_kind(text, Kind::Str), ["b \\\" c", "i \" j", "k", "l"]);
        let comments: Vec<_> = scan(text).1.iter().map(|comment| comment.text).collect();
        assert_eq!(comments, ["// d", "/* e /* f */ g */"]);
    }

    #[test]
    fn lifetimes_and_characters_do_not_open_strings() {
        let text = "fn f<'a>(x: &'a str) { m('\"', '\\'', b'\\\\', '中', '\\u{1F600}'); } g";
        assert_eq!(
            of_kind(text, Kind::Ident),
            ["fn", "f", "x", "str", "m", "g"]
        );
        assert!(of_kind(text, Kind::Str).is_empty());
    }

    #[test]
    fn raw_identifiers_lose_their_prefix() {
        assert_eq!(of_kind("r#type::name", Kind::Ident), ["type", "name"]);
        assert_eq!(of_kind("a::b:c", Kind::Punct), ["::", ":"]);
    }

    #[test]
    fn lines_are_counted_through_long_literals() {
        let (tokens, _) = scan("a\n\"x\ny\"\n/* \n */ b\n");
        let lines: Vec<_> = tokens
            .iter()
            .map(|token| (token.line, token.last_line))
            .collect();
        assert_eq!(lines, [(1, 1), (2, 3), (5, 5)]);
    }

    #[test]
    fn broken_input_ends() {
        for text in [
            "\"open", "r#\"open", "/* open", "'", "'\\", "b'", "r#", "\"\\", "\"\\中", "é'",
        ] {
            scan(text);
        }
    }
}
