//! The stream decoder: cuts a byte stream into frames
//! (stomp-sockjs-wire.md §1.1, §1.2, §1.8).
//!
//! It takes a frame line by line off its input and remembers how far it has
//! looked, so that a peer who sends single bytes costs no more than one who
//! does not. A hostile frame costs at most the limits: lengths are judged
//! before the bytes are waited for, nothing is reserved ahead, and a body is a
//! slice of the input rather than a copy. It does not know whether a frame is
//! legal at a moment, and of its headers only `content-length`.

use std::ffi::CStr;

use bytes::{Buf, Bytes, BytesMut};

use super::{Command, Escaping, Frame, FrameError, Headers, Limits, Side, Version};

/// Decodes one direction of a connection.
#[derive(Debug, Clone)]
pub struct Decoder {
    from: Side,
    version: Version,
    escaping: Escaping,
    limits: Limits,
    stage: Stage,
    /// Bytes at the front of the input that are known not to end what the
    /// stage waits for.
    scanned: usize,
}

/// What the front of the input is.
#[derive(Debug, Clone)]
enum Stage {
    /// Line ends between frames, or a command.
    Command,
    /// A header line, or the end of them.
    Head(Head),
    /// A body.
    Body(Head),
    /// Unknown: an error has lost the frame boundaries.
    Failed(FrameError),
}

/// What is known of the frame so far.
#[derive(Debug, Clone)]
struct Head {
    command: Command,
    headers: Headers,
    /// The first `content-length`.
    length: Option<usize>,
    /// Header lines so far.
    lines: usize,
    /// Bytes of the header lines so far.
    head_bytes: usize,
}

/// What the front line of a head was.
enum Line {
    Incomplete,
    Header,
    Empty,
    /// A NUL in its place: the frame ends without an empty line.
    Nul,
}

impl Decoder {
    /// A decoder of what `from` sends, with the default [`Limits`], and the
    /// rules of 1.2 until the version is known. CONNECT is the same in all.
    #[must_use]
    pub fn new(from: Side) -> Decoder {
        Decoder {
            from,
            version: Version::V1_2,
            escaping: Escaping::V1_2,
            limits: Limits::default(),
            stage: Stage::Command,
            scanned: 0,
        }
    }

    /// Decodes later frames by the rules of `version`, its own escapes
    /// included. In 1.0 blanks around names and values are dropped; in 1.0
    /// and 1.1 a CR inside a line is data. CRLF ends a line in all versions.
    ///
    /// To be called between frames, as is
    /// [`set_escaping`](Decoder::set_escaping).
    pub fn set_version(&mut self, version: Version) {
        self.version = version;
        self.escaping = Escaping::of(version);
    }

    /// Reads escapes by another table than the version's own; servers like
    /// Spring use [`Escaping::SPRING`] in every version.
    pub fn set_escaping(&mut self, escaping: Escaping) {
        self.escaping = escaping;
    }

    /// Limits later frames.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes the next frame off the front of `buf`. Line ends between frames
    /// are heart-beats; they are taken off and yield nothing, since any octet
    /// that arrives counts as one.
    ///
    /// `Ok(None)` means that the frame is incomplete: what was understood is
    /// taken off `buf`, the rest stays; append what arrives and call again.
    /// Before the next call yields a frame or an error `buf` can hold at most
    /// the frame limit.
    ///
    /// # Errors
    ///
    /// See [`FrameError`]. From then on every call returns the same error and
    /// leaves `buf` alone.
    pub fn decode(&mut self, buf: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        if let Stage::Failed(error) = self.stage {
            return Err(error);
        }
        let result = self.advance(buf);
        if let Err(error) = result {
            self.stage = Stage::Failed(error);
        }
        result
    }

    fn advance(&mut self, buf: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        loop {
            match std::mem::replace(&mut self.stage, Stage::Command) {
                Stage::Command => match self.command(buf)? {
                    Some(command) => self.enter(Stage::Head(Head::new(command))),
                    None => return Ok(None),
                },
                Stage::Head(mut head) => match self.line(&mut head, buf)? {
                    Line::Incomplete => {
                        self.stage = Stage::Head(head);
                        return Ok(None);
                    }
                    Line::Header => self.enter(Stage::Head(head)),
                    Line::Empty => {
                        self.check_length(&head)?;
                        self.enter(Stage::Body(head));
                    }
                    Line::Nul => {
                        self.enter(Stage::Command);
                        return head.without_body().map(Some);
                    }
                },
                Stage::Body(head) => match self.body(&head, buf)? {
                    Some(body) => {
                        self.enter(Stage::Command);
                        return Ok(Some(head.frame(body)));
                    }
                    None => {
                        self.stage = Stage::Body(head);
                        return Ok(None);
                    }
                },
                Stage::Failed(error) => return Err(error),
            }
        }
    }

    /// A new stage has looked at nothing yet.
    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.scanned = 0;
    }

    /// Takes line ends and then a command line off `buf`.
    fn command(&self, buf: &mut BytesMut) -> Result<Option<Command>, FrameError> {
        loop {
            match buf[..] {
                [b'\n', ..] => buf.advance(1),
                [b'\r', b'\n', ..] => buf.advance(2),
                [] | [b'\r'] => return Ok(None),
                _ => break,
            }
        }
        // The line is short enough to be looked at again from its start.
        let letters = buf.iter().take_while(|byte| byte.is_ascii_uppercase());
        let len = letters.count();
        if len > Command::MAX_BYTES {
            return Err(FrameError::UnknownCommand);
        }
        let end = match buf[len..] {
            _ if len == 0 => return Err(FrameError::IllegalFrame),
            [] | [b'\r'] => return Ok(None),
            [b'\n', ..] => len + 1,
            [b'\r', b'\n', ..] => len + 2,
            _ => return Err(FrameError::IllegalFrame),
        };
        let command = Command::parse(&buf[..len])
            .filter(|command| command.side() == self.from)
            .ok_or(FrameError::UnknownCommand)?;
        buf.advance(end);
        Ok(Some(command))
    }

    /// Takes one line of a head off `buf`.
    fn line(&mut self, head: &mut Head, buf: &mut BytesMut) -> Result<Line, FrameError> {
        let limits = self.limits;
        if buf.first() == Some(&0) {
            buf.advance(1);
            return Ok(Line::Nul);
        }
        // A line of the limit and CR LF.
        let window = buf.len().min(limits.line_bytes.saturating_add(2));
        let unseen = &buf[self.scanned.min(window)..window];
        let found = unseen.iter().position(|byte| matches!(byte, b'\n' | b'\0'));
        let seen = found.map_or(window, |at| window - unseen.len() + at + 1);
        if head.head_bytes + seen > limits.head_bytes {
            return Err(FrameError::HeadersTooLarge {
                limit: limits.head_bytes,
            });
        }
        let too_long = FrameError::HeaderLineTooLong {
            limit: limits.line_bytes,
        };
        if found.is_none() {
            if window > limits.line_bytes.saturating_add(1) {
                return Err(too_long);
            }
            self.scanned = window;
            return Ok(Line::Incomplete);
        }
        let Some(line) = buf[..seen].strip_suffix(b"\n") else {
            // The frame ends in the middle of a line.
            return Err(FrameError::IllegalHeader);
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            buf.advance(seen);
            return Ok(Line::Empty);
        }
        if line.len() > limits.line_bytes {
            return Err(too_long);
        }
        if head.lines == limits.headers {
            return Err(FrameError::TooManyHeaders {
                limit: limits.headers,
            });
        }
        self.header(head, line)?;
        head.lines += 1;
        head.head_bytes += seen;
        buf.advance(seen);
        Ok(Line::Header)
    }

    /// Adds a header line, without its end, to the head.
    fn header(&self, head: &mut Head, line: &[u8]) -> Result<(), FrameError> {
        let is_literal = !head.command.is_escaped();
        if (is_literal || self.version == Version::V1_2) && line.contains(&b'\r') {
            return Err(FrameError::IllegalHeader);
        }
        let line = std::str::from_utf8(line).map_err(|_| FrameError::NotUtf8)?;
        let (mut name, mut value) = line.split_once(':').ok_or(FrameError::IllegalHeader)?;
        if self.version == Version::V1_0 {
            name = name.trim_matches(' ');
            value = value.trim_matches(' ');
        }
        let is_body = head.command == Command::Send && looks_like_json(name);
        if name.is_empty() || is_body {
            return Err(FrameError::IllegalHeader);
        }
        let escaping = if is_literal {
            Escaping::Literal
        } else {
            self.escaping
        };
        head.headers
            .push_escaped(name, value, escaping)
            .map_err(|index| FrameError::IllegalEscape { index })?;
        head.take_length()
    }

    /// Judges `content-length` before any of the body is waited for.
    fn check_length(&self, head: &Head) -> Result<(), FrameError> {
        let Some(length) = head.length.filter(|length| *length > 0) else {
            return Ok(());
        };
        if !head.command.may_have_body() {
            return Err(FrameError::UnexpectedBody(head.command));
        }
        if length > self.body_limit(head) {
            return Err(FrameError::FrameTooLarge {
                limit: self.limits.frame_bytes,
            });
        }
        Ok(())
    }

    /// How many bytes the frame's limit leaves for a body, beside the command
    /// line, the headers, the empty line and the NUL.
    fn body_limit(&self, head: &Head) -> usize {
        let others = head.command.as_str().len() + head.head_bytes + 3;
        self.limits.frame_bytes.saturating_sub(others)
    }

    /// Takes a body and its NUL off `buf`.
    fn body(&mut self, head: &Head, buf: &mut BytesMut) -> Result<Option<Bytes>, FrameError> {
        let len = if let Some(length) = head.length {
            match buf.get(length) {
                Some(0) => length,
                Some(_) => return Err(FrameError::WrongContentLength { length }),
                None => return Ok(None),
            }
        } else {
            let limit = self.body_limit(head);
            let from = self.scanned.min(buf.len());
            let found = CStr::from_bytes_until_nul(&buf[from..]).ok();
            let len = found.map_or(buf.len(), |text| from + text.count_bytes());
            if len > 0 && !head.command.may_have_body() {
                return Err(FrameError::UnexpectedBody(head.command));
            }
            if len > limit {
                return Err(FrameError::FrameTooLarge {
                    limit: self.limits.frame_bytes,
                });
            }
            if found.is_none() {
                self.scanned = len;
                return Ok(None);
            }
            len
        };
        // An empty slice would keep the whole input alive.
        let body = match len {
            0 => Bytes::new(),
            _ => buf.split_to(len).freeze(),
        };
        buf.advance(1);
        Ok(Some(body))
    }
}

impl Head {
    fn new(command: Command) -> Head {
        Head {
            command,
            headers: Headers::new(),
            length: None,
            lines: 0,
            head_bytes: 0,
        }
    }

    /// If the last header is a `content-length`, takes it off; the first one
    /// counts, and a number that no frame can have is merely too large.
    fn take_length(&mut self) -> Result<(), FrameError> {
        let Some(("content-length", value)) = self.headers.last() else {
            return Ok(());
        };
        let digits = value.trim_matches(' ');
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(FrameError::IllegalContentLength);
        }
        let length = digits.parse().unwrap_or(usize::MAX);
        self.length.get_or_insert(length);
        self.headers.pop();
        Ok(())
    }

    /// The frame of a head that a NUL has ended.
    fn without_body(self) -> Result<Frame, FrameError> {
        match self.length {
            Some(length) if length > 0 => Err(FrameError::WrongContentLength { length }),
            _ => Ok(self.frame(Bytes::new())),
        }
    }

    fn frame(self, body: Bytes) -> Frame {
        Frame {
            command: self.command,
            headers: self.headers,
            body,
        }
    }
}

/// Whether what stands for a header's name in a SEND is the JSON of a body
/// whose empty line is missing; JSON has colons, so it would pass for a header
/// (stomp.md Q2-32).
pub(super) fn looks_like_json(name: &str) -> bool {
    name.trim_start_matches(' ').starts_with(['{', '['])
}
