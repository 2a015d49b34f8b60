//! Prepaid credits: what a tenant could not pay for does not leave.

use domain::conversation::Post;
use domain::metering::{Book, time_zone};
use protocol::id::{NumberId, TenantId};
use protocol::outbound::Outcome;
use protocol::phone::ContactKey;
use protocol::pricing::Money;
use store::records::{RecordsResult, Reservation};

use crate::node::Shared;

/// Reserves what a message may cost, where its tenant pays in advance. An error: it must not be sent.
pub(super) async fn reserve(
    shared: &Shared,
    (tenant, number): (TenantId, NumberId),
    post: &Post,
) -> Result<(), Outcome> {
    let Some(credits) = &shared.options.credits else { return Ok(()) };
    let directory = shared.options.directory.load_full();
    let Some(held) = directory.tenants.get(&tenant) else { return Ok(()) };
    let Some(opening) = &held.tenant.credits else { return Ok(()) };
    let phone = post.to.phone.map(ContactKey::Phone);
    let Some(contact) = phone.or_else(|| post.to.bsuid.clone().map(ContactKey::Bsuid)) else { return Ok(()) };
    let unknown = |error: &(dyn std::error::Error + 'static)| {
        tracing::warn!(error, "credits cannot be reserved now");
        Outcome::NotSent { detail: "credits cannot be reserved now".to_owned() }
    };
    let now = shared.options.engine.now().await.map_err(|error| unknown(&error))?;
    let book = Book::of(held, Some(number), &directory.rate_cards, time_zone(&held.tenant.time_zone));
    let quote = book.most(number, &contact, (post.category, now));
    // A price in another currency is billed; credits cannot cover it.
    let Some(quote) = quote.filter(|quote| quote.price.currency == opening.currency) else { return Ok(()) };
    let hold = || credits.reserve_credits(tenant, post.message, quote.clone(), now);
    let reserved: RecordsResult<_> = async {
        match hold().await? {
            Reservation::NoAccount => {
                credits.open_credits(tenant, opening.clone(), now).await?;
                hold().await
            }
            other => Ok(other),
        }
    }
    .await;
    match reserved.map_err(|error| unknown(&error))? {
        Reservation::Held | Reservation::NoAccount => Ok(()),
        Reservation::Short(account) => {
            let (left, Money { amount, currency }) = (account.available(), &quote.price);
            let detail = format!("it may cost {amount} {}, {left} are available", currency.0);
            Err(Outcome::Unfunded { detail })
        }
    }
}
