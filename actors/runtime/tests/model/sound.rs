//! Every promise holds while no rule is broken.

use stateright::{Checker, Expectation, Model};

use crate::protocol::{Protocol, SOUND};

/// Promises hold everywhere. Returns what was reached of that which must be reachable for this to mean anything.
fn walk(protocol: Protocol) -> Vec<&'static str> {
    let checker = protocol.checker().threads(2).spawn_bfs().join();
    println!("{protocol:?}: {} states, depth {}", checker.unique_state_count(), checker.max_depth());
    for property in
        protocol.properties().iter().filter(|property| property.expectation == Expectation::Always)
    {
        checker.assert_no_discovery(property.name);
    }
    checker.discoveries().into_keys().collect()
}

/// `MODEL_FAULTS=3` and the like look further than the default.
fn setting(name: &str, otherwise: u8) -> u8 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn p1_p2_p3_p5_promises_hold_and_everything_is_reached() {
    let reached = walk(Protocol {
        nodes: setting("MODEL_NODES", SOUND.nodes),
        inputs: setting("MODEL_INPUTS", SOUND.inputs),
        faults: setting("MODEL_FAULTS", SOUND.faults),
        leases: setting("MODEL_LEASES", SOUND.leases),
        ..SOUND
    });
    let properties = SOUND.properties();
    let goals = properties.iter().filter(|property| property.expectation == Expectation::Sometimes);
    for goal in goals {
        assert!(reached.contains(&goal.name), "never reached: {}", goal.name);
    }
}

#[test]
fn p1_p2_p3_p5_promises_hold_for_two_messages() {
    walk(Protocol { inputs: 2, faults: 1, ..SOUND });
}
