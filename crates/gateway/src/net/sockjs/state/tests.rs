//! The rules of a session, at times that the tests make up.

use super::*;

fn taken(state: &mut State) -> (Taken, String) {
    let mut out = BytesMut::new();
    let taken = state.take(&Framing::WebSocket, &mut out);
    let text = String::from_utf8(out.to_vec()).expect("frames are text");
    (taken, text)
}

fn frame(state: &mut State) -> String {
    let (taken, text) = taken(state);
    assert_eq!(taken, Taken::Frame);
    text
}

/// A session that has told its client so.
fn open(now_ms: u64) -> State {
    let mut state = State::new(now_ms);
    let id = state.attach().expect("a receiver");
    assert_eq!(frame(&mut state), "o");
    state.detach(id, true, now_ms);
    state
}

#[test]
fn messages_come_after_the_greeting_in_order_and_together() {
    let mut state = State::new(0);
    assert!(state.push("early"));
    state.attach().expect("a receiver");
    assert_eq!(frame(&mut state), "o");
    assert!(state.push("a\n\0") && state.push("b"));
    assert_eq!(frame(&mut state), r#"a["early","a\n\u0000","b"]"#);
    assert_eq!(taken(&mut state), (Taken::Nothing, String::new()));
}

#[test]
fn one_request_receives_at_a_time() {
    let mut state = open(0);
    let first = state.attach().expect("a receiver");
    assert_eq!(state.attach(), Err(NoReceiver::Busy));
    state.detach(first, true, 1);
    let second = state.attach().expect("the next one");
    // The first one's end is told twice: that is nothing to the second.
    state.detach(first, false, 2);
    assert_eq!(state.attach(), Err(NoReceiver::Busy));
    assert!(!state.has_ended());
    state.detach(second, true, 3);
    assert!(state.attach().is_ok());
}

#[test]
fn who_does_not_come_back_within_five_seconds_is_gone() {
    let mut state = open(1_000);
    assert_eq!(state.deadline_ms(), Some(1_000 + TIMEOUT_MS));
    assert!(!state.expire(1_000 + TIMEOUT_MS - 1));
    let id = state.attach().expect("in time");
    assert_eq!(state.deadline_ms(), None, "who waits is waited for");
    assert!(!state.expire(1 << 40));
    state.detach(id, true, 9_000);
    assert!(state.push("never received") && state.put("never read"));
    assert!(state.expire(9_000 + TIMEOUT_MS));
    assert!(state.has_ended());
    assert_eq!(state.attach(), Err(NoReceiver::Gone));
    assert!(state.queue.is_empty());
    assert!(!state.put("too late"));
}

#[test]
fn a_session_that_nobody_ever_received_from_goes_too() {
    let mut state = State::new(7);
    assert!(state.expire(7 + TIMEOUT_MS));
}

#[test]
fn what_was_said_before_the_end_comes_before_it() {
    let mut state = open(0);
    let first = state.attach().expect("a receiver");
    assert!(state.push("bye"));
    state.close(1001, 100);
    state.close(1000, 101);
    assert_eq!(frame(&mut state), r#"a["bye"]"#);
    let goodbye = (Taken::Last, r#"c[1001,"Going away"]"#.to_owned());
    assert!(!state.is_settled());
    assert_eq!(taken(&mut state), goodbye, "the first close counts");
    assert!(state.is_settled());
    // While the first one is still there: it has been let go.
    let second = state.attach().expect("anybody may hear the end");
    assert_eq!(taken(&mut state), goodbye);
    state.detach(first, true, 102);
    state.detach(second, true, 103);
    assert!(!state.expire(100 + TIMEOUT_MS - 1));
    assert!(state.expire(100 + TIMEOUT_MS), "however often it is asked");
    assert_eq!(state.attach(), Err(NoReceiver::Gone));
}

#[test]
fn a_request_that_breaks_off_ends_the_session() {
    let mut state = open(0);
    let id = state.attach().expect("a receiver");
    assert!(state.push("lost perhaps"));
    state.detach(id, false, 50);
    assert!(state.has_ended());
    assert!(!state.put("not any more"));
    state.attach().expect("one that is told");
    let told = (
        Taken::Last,
        r#"c[1002,"Connection interrupted"]"#.to_owned(),
    );
    assert_eq!(taken(&mut state), told);
    state.close(1000, 60);
    assert_eq!(taken(&mut state), told);
    assert!(state.expire(50 + TIMEOUT_MS));
}

#[test]
fn breaking_off_after_the_end_changes_nothing() {
    let mut state = open(0);
    let id = state.attach().expect("a receiver");
    state.push("still to come");
    state.close(1000, 10);
    state.detach(id, false, 11);
    state.attach().expect("one that is told");
    assert_eq!(frame(&mut state), r#"a["still to come"]"#);
    assert_eq!(taken(&mut state).1, r#"c[1000,"Normal closure"]"#);
}

#[test]
fn the_queue_is_bounded_in_bytes_and_in_messages() {
    let mut state = open(0);
    let half = "x".repeat(QUEUE_BYTES / 2);
    assert!(state.push(&half) && state.push(&half));
    assert!(!state.push("y"), "full");
    assert!(frame(&mut state).len() > QUEUE_BYTES);
    let huge = "x".repeat(2 * QUEUE_BYTES);
    assert!(state.push(&huge), "one message may be larger than all room");
    assert!(!state.push("y"));
    assert!(frame(&mut state).contains(&huge));
    let count = std::iter::repeat_with(|| state.push("z"))
        .take_while(|pushed| *pushed)
        .count();
    assert_eq!(count, QUEUE_MESSAGES);
}
