//! What the contract says of lengths, sizes and numbers is what the calls do: at a bound nothing is malformed, beyond it the
//! field is named. And whatever is refused has changed nothing.

use serde_json::{Value, json};

use super::schema::{Contract, Field, Operation};
use super::{Belongings, bodies, method, names, world};
use crate::api::{ANNA_KEY, Answer};
use crate::harness::World;

/// Values at a bound of a field, and beyond it.
fn bounds(contract: &Contract, field: &Field) -> Vec<(Option<Value>, Value)> {
    let mut all = Vec::new();
    for schema in contract.choices(&field.schema) {
        // Other patterns do not take just any letters.
        let any_text = schema["pattern"].as_str().is_none_or(|pattern| pattern.starts_with(r"^[^\x00"));
        let text = |length: u64| json!("x".repeat(usize::try_from(length).unwrap()));
        if let Some(most) = schema["maxLength"].as_u64() {
            all.push((any_text.then(|| text(most)), text(most + 1)));
        }
        if schema["minLength"] == 1 {
            all.push((any_text.then(|| text(1)), json!("")));
        }
        if let Some(most) = schema["maximum"].as_i64() {
            all.push((Some(json!(most)), json!(i128::from(most) + 1)));
        }
        if let Some(least) = schema["minimum"].as_i64() {
            all.push((Some(json!(least)), json!(least - 1)));
        }
        if let Some(most) = schema["maxItems"].as_u64() {
            let one = contract.example(&schema["items"]);
            let list = |count: u64| json!(vec![one.clone(); usize::try_from(count).unwrap()]);
            all.push((Some(list(most)), list(most + 1)));
        }
    }
    all
}

async fn ask(world: &World, ours: &Belongings, operation: &Operation, body: &Value) -> Answer {
    let call = world.call(method(operation), ours.filled(operation));
    call.with_key(ANNA_KEY).body(body.clone()).answer().await
}

#[actix_web::test]
async fn bounds_are_where_the_contract_says() {
    let world = world().await;
    let (contract, ours) = (Contract::served(), Belongings::of(&world).await);
    let (mut asked, mut wrong) = (0, Vec::new());
    for operation in contract.operations() {
        let Some(schema) = &operation.body else { continue };
        let mut fields = contract.fields(schema);
        fields.retain(|field| !bounds(&contract, field).is_empty());
        for (_, _, body) in bodies::all(&ours).into_iter().filter(|one| operation.is(one.0, one.1)) {
            for field in fields.iter().filter(|field| body.pointer(&field.pointer).is_some()) {
                for (at, beyond) in bounds(&contract, field) {
                    let with = |value: Value| {
                        let mut body = body.clone();
                        *body.pointer_mut(&field.pointer).unwrap() = value;
                        body
                    };
                    let refused = ask(&world, &ours, &operation, &with(beyond)).await;
                    let taken = match at {
                        Some(at) => Some(ask(&world, &ours, &operation, &with(at)).await),
                        None => None,
                    };
                    asked += 1;
                    if !names(&refused, &field.pointer) {
                        wrong.push(format!("{} {} beyond: {refused:?}", operation.path, field.pointer));
                    }
                    if let Some(taken) = taken.filter(|taken| taken.status == 400) {
                        wrong.push(format!("{} {} at: {taken:?}", operation.path, field.pointer));
                    }
                }
            }
        }
    }
    assert!(asked > 60 && wrong.is_empty(), "{asked} bounds, of which:\n{}", wrong.join("\n"));
    world.stop().await;
}

/// Everything that calls with a body change and that nothing but calls changes.
const KEPT: [&str; 15] = [
    "/v1/contacts/{id}",
    "/v1/contacts/{id}/consent",
    "/v1/credits/auto-recharge",
    "/v1/credits/low-balance",
    "/v1/credits/recharges",
    "/v1/flows",
    "/v1/groups",
    "/v1/keys",
    "/v1/notifications/devices",
    "/v1/notifications/settings",
    "/v1/numbers",
    "/v1/templates",
    "/v1/users",
    "/v1/views?counts=false",
    "/v1/webhook-endpoints",
];

/// What is kept, each with its version. When a template was last used follows sends in its own time.
pub(super) async fn kept(world: &World, ours: &Belongings) -> Vec<(String, Option<String>, Value)> {
    let mut all = Vec::new();
    for path in KEPT {
        let path = path.replace("{id}", ours.id("/v1/contacts/"));
        let answer = world.call(reqwest::Method::GET, path.clone()).with_key(ANNA_KEY).answer().await;
        let mut found = answer.json();
        for entry in found["data"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            entry.remove("last_used_at");
        }
        all.push((path, answer.etag, found));
    }
    all
}
