//! Heart-beat arithmetic (stomp-sockjs-wire.md §1.4). Knows no clock: who
//! uses it counts the milliseconds.

/// A `heart-beat` header, in milliseconds. Zero means "cannot" and "does not
/// want"; a missing header is all zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct HeartBeat {
    /// The sender of the header can send something this often.
    pub can_ms: u32,
    /// The sender of the header wants to get something this often.
    pub wants_ms: u32,
}

/// A `heart-beat` header that is not two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("heart-beat is not two numbers")]
pub struct BadHeartBeat;

impl HeartBeat {
    /// Reads a header value, `<can>,<wants>`. A number beyond 32 bits counts
    /// as the largest one.
    ///
    /// # Errors
    ///
    /// When it is not two unsigned decimal numbers.
    pub fn parse(text: &str) -> Result<HeartBeat, BadHeartBeat> {
        let (can, wants) = text.split_once(',').ok_or(BadHeartBeat)?;
        Ok(HeartBeat {
            can_ms: milliseconds(can)?,
            wants_ms: milliseconds(wants)?,
        })
    }

    /// What a server writes into CONNECTED for a client that sent `self`:
    /// it goes along with the client's pace, at least `floor_ms` and at most
    /// `ceiling_ms`, and stays silent where the client wants nothing
    /// (stomp.md Q2-5).
    #[must_use]
    pub fn answer(self, floor_ms: u32, ceiling_ms: u32) -> HeartBeat {
        let pace = |ms: u32| {
            if ms == 0 {
                0
            } else {
                ms.max(floor_ms).min(ceiling_ms)
            }
        };
        HeartBeat {
            can_ms: pace(self.wants_ms),
            wants_ms: pace(self.can_ms),
        }
    }
}

impl std::fmt::Display for HeartBeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{},{}", self.can_ms, self.wants_ms)
    }
}

fn milliseconds(text: &str) -> Result<u32, BadHeartBeat> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(BadHeartBeat);
    }
    // Digits alone can only fail by being too many.
    Ok(text.parse().unwrap_or(u32::MAX))
}

/// How often each side must be heard after CONNECTED, in milliseconds; zero
/// means never. Any octet counts as being heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Periods {
    /// The client must be heard this often.
    pub client_ms: u32,
    /// The server must be heard this often.
    pub server_ms: u32,
}

impl Periods {
    /// What the two headers come to.
    #[must_use]
    pub fn of(client: HeartBeat, server: HeartBeat) -> Periods {
        Periods {
            client_ms: period(client.can_ms, server.wants_ms),
            server_ms: period(server.can_ms, client.wants_ms),
        }
    }

    /// A client that was silent this long is gone: twice its period
    /// (stomp.md T2-9). `None` if it may be silent for ever.
    #[must_use]
    pub fn client_silence_ms(self) -> Option<u64> {
        (self.client_ms > 0).then_some(u64::from(self.client_ms) * 2)
    }

    /// The server writes a heart-beat when it has written nothing for this
    /// long: nine tenths of its period, since clients count from its end.
    /// `None` if it need not.
    #[must_use]
    pub fn server_idle_ms(self) -> Option<u64> {
        (self.server_ms > 0).then_some((u64::from(self.server_ms) * 9 / 10).max(1))
    }
}

fn period(can_ms: u32, wants_ms: u32) -> u32 {
    if can_ms == 0 || wants_ms == 0 {
        0
    } else {
        can_ms.max(wants_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(can_ms: u32, wants_ms: u32) -> HeartBeat {
        HeartBeat { can_ms, wants_ms }
    }

    #[test]
    fn headers_are_two_numbers() {
        let cases = [
            ("0,0", Ok(beat(0, 0))),
            ("10000,20000", Ok(beat(10_000, 20_000))),
            (" 1 , 2 ", Ok(beat(1, 2))),
            ("4294967295,4294967296", Ok(beat(u32::MAX, u32::MAX))),
            ("99999999999999999999999999,1", Ok(beat(u32::MAX, 1))),
            ("", Err(BadHeartBeat)),
            ("5", Err(BadHeartBeat)),
            ("5,", Err(BadHeartBeat)),
            ("1,2,3", Err(BadHeartBeat)),
            ("-1,2", Err(BadHeartBeat)),
            ("+1,2", Err(BadHeartBeat)),
            ("a,b", Err(BadHeartBeat)),
        ];
        for (text, read) in cases {
            assert_eq!(HeartBeat::parse(text), read, "{text}");
        }
        assert_eq!(beat(10, 20).to_string(), "10,20");
    }

    #[test]
    fn the_slower_side_sets_each_period() {
        let cases = [
            (beat(0, 0), beat(0, 0), (0, 0)),
            (beat(0, 0), beat(10, 10), (0, 0)),
            (beat(5, 0), beat(10, 10), (10, 0)),
            (beat(0, 5), beat(10, 10), (0, 10)),
            (beat(20, 5), beat(10, 10), (20, 10)),
            (beat(20, 30), beat(0, 10), (20, 0)),
            (beat(20, 30), beat(10, 0), (0, 30)),
        ];
        for (client, server, (client_ms, server_ms)) in cases {
            let periods = Periods {
                client_ms,
                server_ms,
            };
            assert_eq!(Periods::of(client, server), periods, "{client} {server}");
        }
    }

    #[test]
    fn the_server_follows_the_client_within_bounds() {
        let cases = [
            (beat(0, 0), beat(0, 0)),
            (beat(5_000, 6_000), beat(6_000, 5_000)),
            (beat(60_000, 0), beat(0, 10_000)),
            (beat(1, 1), beat(1_000, 1_000)),
            (beat(0, u32::MAX), beat(10_000, 0)),
        ];
        for (client, answer) in cases {
            assert_eq!(client.answer(1_000, 10_000), answer, "{client}");
        }
    }

    #[test]
    fn silence_and_idleness_follow_from_the_periods() {
        let none = Periods::default();
        assert_eq!(
            (none.client_silence_ms(), none.server_idle_ms()),
            (None, None)
        );
        let periods = Periods::of(beat(5_000, 5_000), beat(5_000, 5_000));
        assert_eq!(periods.client_silence_ms(), Some(10_000));
        assert_eq!(periods.server_idle_ms(), Some(4_500));
        let extreme = Periods {
            client_ms: u32::MAX,
            server_ms: 1,
        };
        assert_eq!(extreme.client_silence_ms(), Some(2 * u64::from(u32::MAX)));
        assert_eq!(extreme.server_idle_ms(), Some(1));
    }
}
