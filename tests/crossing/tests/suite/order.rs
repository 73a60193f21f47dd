//! One conversation has one order (G.8 TG-6).

use crosstalk_crossing::{Heard, Peer, World};
use crosstalk_gateway::Dialect;
use futures_util::future::join;

use crate::cast::{group, others, peer_of, text_by};

/// Messages of each author.
const EACH: usize = 500;
/// Messages that a reader is given time for at once.
const STEP: usize = 100;

fn number(heard: &Heard) -> (String, usize) {
    let text = heard.shown.to_string();
    let (_, rest) = text.rsplit_once("number-").expect("a number");
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (heard.from.clone(), digits.parse().expect("a number"))
}

async fn write_all(author: &Peer) {
    for at in 0..EACH {
        let written = text_by(author.dialect, &format!("number-{at}."));
        author.send(&group("g-1"), &written).await;
    }
}

async fn hears_all(reader: &Peer, expected: usize) -> Vec<Heard> {
    let mut heard = Vec::new();
    for count in (STEP..=expected).step_by(STEP) {
        heard = reader.log().expect("message", count, |_| true).await;
    }
    assert_eq!(heard.len(), expected, "{}", reader.uid);
    heard
}

async fn two_write_at_once(one: Dialect, other: Dialect) {
    let mut world = World::start().await;
    let members: Vec<String> = world.uids().into_iter().map(str::to_owned).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    world.add_group("g-1", &members).await;
    let peers = world.peers().await;
    let (one, other) = (peer_of(&peers, one), peer_of(&peers, other));
    join(write_all(one), write_all(other)).await;

    let mut order: Option<Vec<(String, usize)>> = None;
    for reader in others(&peers, one).filter(|peer| peer.uid != other.uid) {
        let heard = hears_all(reader, 2 * EACH).await;
        let seqs: Vec<u64> = heard.iter().filter_map(|heard| heard.seq).collect();
        assert!(
            seqs.is_sorted_by(|before, after| before < after),
            "{}",
            reader.uid
        );
        let numbers: Vec<_> = heard.iter().map(number).collect();
        assert_eq!(
            order.get_or_insert(numbers.clone()),
            &numbers,
            "{}",
            reader.uid
        );
    }
    let order = order.expect("readers");
    for (author, reader) in [(one, other), (other, one)] {
        let own: Vec<_> = order
            .iter()
            .filter(|(from, _)| *from == author.uid)
            .collect();
        assert!(
            own.is_sorted_by_key(|(_, number)| number),
            "{}: {own:?}",
            author.uid
        );
        // Each author hears the other in that order, too.
        let heard: Vec<_> = hears_all(reader, EACH).await.iter().map(number).collect();
        assert!(heard.iter().eq(own), "{}", reader.uid);
    }
}

#[tokio::test]
async fn a_thousand_messages_of_stomp_and_gyyx_have_one_order_for_all() {
    two_write_at_once(Dialect::Stomp, Dialect::Gyyx).await;
}

#[tokio::test]
async fn a_thousand_messages_of_mqtt_and_wg_have_one_order_for_all() {
    two_write_at_once(Dialect::Mqtt, Dialect::Wg).await;
}
