//! What a client does about the time that it was away: it asks for its
//! conversations with news, and for history where that was not all.

use anyhow::{Result, ensure};

use super::trip::Trips;
use crate::clock::Clock;
use crate::dialect::{Address, Ask, Conversation, Known, Line};

/// Messages per conversation that are asked for at first, as the SDKs do.
const RECENTS: u32 = 200;
/// Messages in one page of history.
const HISTORY: u32 = 1_000;

/// What the answers said.
pub(super) struct Missed {
    pub(super) lines: Vec<(Address, Line)>,
    /// How long all of it took.
    pub(super) took_ns: u64,
    /// Bytes of all answers.
    pub(super) bytes: usize,
}

/// Asks on behalf of a user who knows so much.
pub(super) async fn ask(trips: &Trips, clock: Clock, uid: &str, known: &[Known]) -> Result<Missed> {
    let start_ns = clock.now_ns();
    let api = trips.connector.dialect.api()?;
    let news = Ask::News {
        uid,
        recents: RECENTS,
        known,
    };
    let question = api.question(&trips.target, &news)?;
    let answer = trips.target.ask(&question).await?;
    let mut missed = Missed {
        lines: Vec::new(),
        took_ns: 0,
        bytes: answer.len(),
    };
    for conversation in api.conversations(&news, &answer)?.conversations {
        let Conversation {
            channel, recents, ..
        } = conversation;
        let first_known = known.iter().find(|known| known.channel == channel);
        let mut from = first_known.map_or(0, |known| known.place) + 1;
        let until = recents.first().map_or(0, |line| line.place);
        while from < until {
            let page = Ask::History {
                uid,
                channel: &channel,
                from: Some(from),
                limit: HISTORY,
            };
            let question = api.question(&trips.target, &page)?;
            let answer = trips.target.ask(&question).await?;
            missed.bytes += answer.len();
            let lines = api.history(&answer)?;
            let last = lines.last().map_or(0, |line| line.place);
            ensure!(last >= from, "history ends before {until}, at {from}");
            from = last + 1;
            let lines = lines.into_iter().filter(|line| line.place < until);
            missed
                .lines
                .extend(lines.map(|line| (channel.clone(), line)));
        }
        let recents = recents.into_iter().map(|line| (channel.clone(), line));
        missed.lines.extend(recents);
    }
    missed.took_ns = clock.now_ns() - start_ns;
    Ok(missed)
}
