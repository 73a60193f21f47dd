//! The library's client on the other end of a connection.

use std::future::poll_fn;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::*;
use crate::net::sockjs::tests::echo;

const PATIENCE: Duration = Duration::from_secs(60);

type Client = WebSocketStream<DuplexStream>;

async fn connect() -> (Client, JoinHandle<()>) {
    let (client, server) = duplex(4 << 20);
    let serving = tokio::spawn(async move {
        echo(FramedTransport::open(server).await.expect("open")).await;
    });
    let mut client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
    assert_eq!(hear(&mut client).await, Message::text("o"));
    (client, serving)
}

async fn hear(client: &mut Client) -> Message {
    let heard = timeout(PATIENCE, client.next()).await;
    heard.expect("in time").expect("open").expect("a frame")
}

async fn say(client: &mut Client, text: &str) {
    client.send(Message::text(text)).await.expect("sent");
}

#[tokio::test]
async fn messages_stand_in_frames_both_ways() {
    let (mut client, serving) = connect().await;
    for nothing in ["", "[]", r#"[""]"#] {
        say(&mut client, nothing).await;
    }
    say(&mut client, r#"["a;b;","c"]"#).await;
    assert_eq!(hear(&mut client).await, Message::text(r#"a["a","b"]"#));
    say(&mut client, r#"" goes on;""#).await;
    assert_eq!(hear(&mut client).await, Message::text(r#"a["c goes on"]"#));
    client.send(Message::Ping("1".into())).await.expect("sent");
    assert_eq!(hear(&mut client).await, Message::Pong("1".into()));
    client.close(None).await.expect("closed");
    serving.await.expect("no panic");
}

#[tokio::test]
async fn much_at_once_is_several_frames() {
    let (mut client, _serving) = connect().await;
    let words: Vec<String> = (0..10).map(|n| format!("{n}").repeat(30_000)).collect();
    let sent = serde_json::to_string(&[words.join(";") + ";"]).expect("JSON");
    say(&mut client, &sent).await;
    let mut heard: Vec<String> = Vec::new();
    let mut frames = 0;
    while heard.len() < words.len() {
        let text = hear(&mut client).await.into_text().expect("text");
        let json = text.strip_prefix('a').expect("messages");
        heard.extend(serde_json::from_str::<Vec<String>>(json).expect("JSON"));
        frames += 1;
    }
    assert_eq!(heard, words);
    assert_eq!(frames, 5, "two words in each");
}

#[tokio::test]
async fn the_end_is_told_in_a_frame_and_in_the_close() {
    let (mut client, serving) = connect().await;
    say(&mut client, r#"["last;close;"]"#).await;
    assert_eq!(hear(&mut client).await, Message::text(r#"a["last"]"#));
    assert_eq!(
        hear(&mut client).await,
        Message::text(r#"c[3000,"Closed"]"#)
    );
    let Message::Close(Some(goodbye)) = hear(&mut client).await else {
        panic!("no close frame")
    };
    assert_eq!(u16::from(goodbye.code), 3000);
    assert!(client.next().await.is_none());
    serving.await.expect("no panic");
}

#[tokio::test]
async fn what_is_no_sockjs_drops_the_connection() {
    let broken = [
        Message::text(r#"["a"#),
        Message::text("{}"),
        Message::text("[1]"),
        Message::Binary(r#"["a"]"#.into()),
    ];
    for message in broken {
        let (mut client, serving) = connect().await;
        client.send(message.clone()).await.expect("sent");
        let end = timeout(PATIENCE, client.next()).await.expect("in time");
        assert!(!matches!(end, Some(Ok(_))), "{message:?}: {end:?}");
        serving.await.expect("no panic");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_given_signs_of_life() {
    let (mut client, _serving) = connect().await;
    let start = Instant::now();
    assert_eq!(hear(&mut client).await, Message::text("h"));
    assert_eq!(start.elapsed(), HEARTBEAT);
    assert_eq!(hear(&mut client).await, Message::text("h"));
    say(&mut client, r#"["a;"]"#).await;
    assert_eq!(hear(&mut client).await, Message::text(r#"a["a"]"#));
    let spoken = Instant::now();
    assert_eq!(hear(&mut client).await, Message::text("h"));
    assert_eq!(spoken.elapsed(), HEARTBEAT, "since the last word");
}

#[tokio::test]
async fn an_idle_connection_holds_no_buffer() {
    let (client, server) = duplex(1 << 16);
    let mut client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
    let mut server = FramedTransport::open(server).await.expect("open");
    let mut input = Input::default();
    say(&mut client, r#"["a"]"#).await;
    let heard = poll_fn(|cx| server.poll_receive(cx, &mut input)).await;
    assert_eq!((heard.expect("heard"), &input[..]), (1, &b"a"[..]));
    input.clear();
    input.settle();
    let idle = poll_fn(|cx| Poll::Ready(server.poll_receive(cx, &mut input).is_pending()));
    assert!(idle.await);
    assert_eq!([server.raw.capacity(), input.capacity()], [0, 0]);
}
