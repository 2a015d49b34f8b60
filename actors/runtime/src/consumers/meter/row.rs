//! A line of the ledger in its stored form.

use domain::metering::{Book, Charge, Line, Origin};
use protocol::content::Category;
use protocol::directory::Contract;
use protocol::id::{MessageId, derive};
use protocol::pricing::{Money, ProviderPricing};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use store::records::{LedgerEntry, ProviderCost, ProviderWord};

use crate::consumers::ConsumerError;
use crate::metrics::BillingConversation;

/// The id of a message's line: there is never another one for it.
pub(super) fn id(message: MessageId) -> u128 {
    derive("led1", &[&message.0.to_le_bytes()])
}

/// The stored form. Its explanation holds everything that a person needs to follow the charge.
pub(super) fn entry(line: Line, book: &Book<'_>) -> Result<LedgerEntry, ConsumerError> {
    let explanation = serde_json::json!({
        "text": line.words(),
        "queued_at": line.queued_at,
        "template": line.template,
        "charge": json(&line.charge)?,
        "cost": json(&line.cost)?,
        "estimate": json(&line.estimate)?,
    });
    let free = || Money { amount: Decimal::ZERO, currency: book.home_currency() };
    Ok(LedgerEntry {
        id: id(line.message),
        tenant: line.tenant,
        number: line.number,
        conversation: line.conversation,
        message: Some(line.message),
        at: line.delivered_at,
        day: line.day,
        category: line.category,
        origin: line.origin.name().into(),
        policy: line.charge.policy.name().into(),
        market: line.market,
        amount: line.charge.amount.unwrap_or_else(free),
        cost: line.cost.amount,
        explanation,
        provider: line.reported,
        differs: line.estimate.is_some(),
    })
}

/// The stored form of a word that came after the line.
pub(super) fn word(
    message: MessageId,
    pricing: ProviderPricing,
    cost: Option<Box<Charge>>,
) -> Result<ProviderWord, ConsumerError> {
    let cost = cost
        .map(|cost| Ok::<_, ConsumerError>(ProviderCost { explanation: json(&cost)?, amount: cost.amount }));
    Ok(ProviderWord { entry: id(message), pricing, cost: cost.transpose()? })
}

fn json(value: &impl Serialize) -> Result<Value, ConsumerError> {
    serde_json::to_value(value).map_err(|error| ConsumerError::Encode(error.into()))
}

/// The label of a line in the metrics.
pub(super) fn label(line: &Line, contract: Contract) -> BillingConversation {
    use BillingConversation as Label;
    match (contract, line.origin, line.category) {
        (Contract::Conversation, Origin::FreeEntryPoint, _) => Label::ReferralByConversation,
        (Contract::Conversation, _, Category::Marketing) => Label::MarketingByConversation,
        (Contract::Conversation, _, Category::Utility) => Label::UtilityByConversation,
        (Contract::Conversation, _, Category::Authentication) => Label::AuthenticationByConversation,
        (Contract::Conversation, _, Category::Service) => Label::ServiceByConversation,
        (Contract::PerMessage, Origin::FreeEntryPoint, _) => Label::ReferralByMessage,
        (Contract::PerMessage, _, Category::Marketing) => Label::MarketingByMessage,
        (Contract::PerMessage, _, Category::Utility) => Label::UtilityByMessage,
        (Contract::PerMessage, _, Category::Authentication) => Label::AuthenticationByMessage,
        (Contract::PerMessage, _, Category::Service) => Label::ServiceByMessage,
    }
}
