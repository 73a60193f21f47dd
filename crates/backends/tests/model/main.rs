//! The messenger against a simple model of it, under random sequences of everything that
//! people, administrators and crashes do: what is unread, conversations, history, and what
//! each device was given.
//!
//! `CROSSTALK_MODEL_STEPS` says how many steps a run has (10,000), `CROSSTALK_MODEL_SEED`
//! which one it is (another one each time): a failure names its seed, and the seed repeats it.
//! `make model STEPS=… SEED=…` does the same.

mod device;
mod dice;
mod model;
mod real;
mod world;

use std::env;

use crosstalk_core::clock::{Clock, SystemClock};
use dice::Dice;
use world::World;

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

fn run(seed: u64, steps: u64, eager: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime").block_on(async {
        println!("{steps} steps, CROSSTALK_MODEL_SEED={seed}");
        let mut world = World::new(Dice::new(seed), eager).await;
        for _ in 0..steps {
            world.step().await;
        }
        world.finish().await;
    });
}

fn seed() -> u64 {
    number("CROSSTALK_MODEL_SEED").unwrap_or_else(|| {
        let mut bytes = [0; 4];
        SystemClock::new().fill_random(&mut bytes);
        u32::from_le_bytes(bytes).into()
    })
}

fn steps() -> u64 {
    number("CROSSTALK_MODEL_STEPS").unwrap_or(10_000)
}

#[test]
fn everything_is_as_the_model_says() {
    run(seed(), steps(), false);
}

#[test]
fn also_when_all_is_written_down_at_once() {
    run(seed(), steps() / 5, true);
}
