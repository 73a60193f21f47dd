//! Transactions: SEND, ACK and NACK that wait for a COMMIT (stomp.md Q2-29).

use std::collections::HashMap;

use crosstalk_wire::stomp::{ClientFrame, Fault};

/// Transactions of one session.
const MAX_OPEN: usize = 16;
/// Frames that wait in all of them.
const MAX_FRAMES: usize = 1_000;
/// Bytes that wait in all of them.
const MAX_BYTES: usize = 1024 * 1024;
/// The longest id, bytes.
const MAX_ID_BYTES: usize = 256;

/// The open transactions of a session.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    open: HashMap<String, Vec<ClientFrame>>,
    frames: usize,
    bytes: usize,
}

impl Transactions {
    /// Opens one.
    pub(super) fn begin(&mut self, id: String) -> Result<(), Fault> {
        if self.open.contains_key(&id) {
            return Err(Fault::DuplicateTransaction);
        }
        if self.open.len() >= MAX_OPEN || id.len() > MAX_ID_BYTES {
            return Err(Fault::TransactionTooLarge);
        }
        self.open.insert(id, Vec::new());
        Ok(())
    }

    /// Keeps a frame until its transaction is committed.
    pub(super) fn add(&mut self, id: &str, frame: ClientFrame) -> Result<(), Fault> {
        let waiting = self.open.get_mut(id).ok_or(Fault::UnknownTransaction)?;
        let bytes = weight(&frame);
        if self.frames >= MAX_FRAMES || self.bytes + bytes > MAX_BYTES {
            return Err(Fault::TransactionTooLarge);
        }
        self.frames += 1;
        self.bytes += bytes;
        waiting.push(frame);
        Ok(())
    }

    /// Ends one; what waited in it is handed back.
    pub(super) fn end(&mut self, id: &str) -> Result<Vec<ClientFrame>, Fault> {
        let frames = self.open.remove(id).ok_or(Fault::UnknownTransaction)?;
        self.frames -= frames.len();
        self.bytes -= frames.iter().map(weight).sum::<usize>();
        Ok(frames)
    }
}

/// Roughly what a frame costs to hold, bytes.
fn weight(frame: &ClientFrame) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    match frame {
        ClientFrame::Send(send) => {
            let headers = send.destination.len() + text(&send.content_type) + text(&send.receipt);
            send.body.len() + headers + text(&send.transaction) + 256
        }
        ClientFrame::Ack(ack) | ClientFrame::Nack(ack) => {
            ack.key.id().len() + text(&ack.receipt) + text(&ack.transaction) + 256
        }
        _ => 256,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use crosstalk_wire::stomp::Send;

    fn send(bytes: usize) -> ClientFrame {
        ClientFrame::Send(Send {
            destination: "/app/chat.send".into(),
            content_type: None,
            transaction: Some("t".into()),
            receipt: None,
            body: Bytes::from(vec![b'x'; bytes]),
        })
    }

    #[test]
    fn frames_come_back_in_order_when_it_ends() {
        let mut open = Transactions::default();
        assert_eq!(open.begin("t".into()), Ok(()));
        assert_eq!(open.begin("t".into()), Err(Fault::DuplicateTransaction));
        for bytes in [1, 2, 3] {
            assert_eq!(open.add("t", send(bytes)), Ok(()));
        }
        assert_eq!(open.add("u", send(1)), Err(Fault::UnknownTransaction));
        assert_eq!(open.end("t"), Ok(vec![send(1), send(2), send(3)]));
        assert_eq!(open.end("t"), Err(Fault::UnknownTransaction));
        assert_eq!((open.frames, open.bytes), (0, 0));
    }

    #[test]
    fn they_are_bounded_in_number_frames_and_bytes() {
        let mut open = Transactions::default();
        for n in 0..MAX_OPEN {
            assert_eq!(open.begin(n.to_string()), Ok(()));
        }
        assert_eq!(open.begin("x".into()), Err(Fault::TransactionTooLarge));
        assert_eq!(
            open.add("0", send(MAX_BYTES)),
            Err(Fault::TransactionTooLarge)
        );
        for _ in 0..MAX_FRAMES {
            assert_eq!(open.add("1", send(1)), Ok(()));
        }
        assert_eq!(open.add("2", send(1)), Err(Fault::TransactionTooLarge));
        assert!(open.end("1").is_ok());
        assert_eq!(open.add("2", send(1)), Ok(()));
    }
}
