//! Answers of applications.

use serde::{Deserialize, Serialize};

use crate::content::Media;

/// What an application step was answered with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// Text, a choice, a date (ISO), an e-mail address or a phone number (E.164), normalised.
    Text(String),
    /// A number, as decimal text.
    Number(String),
    /// Agreed or not.
    Consent(bool),
    /// Files such as a CV.
    File(Media),
    /// A point on the map, degrees north and east.
    Location(f64, f64),
    /// The step was optional and was skipped.
    Skipped,
}
