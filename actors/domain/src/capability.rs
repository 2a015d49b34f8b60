//! What each channel can do. Where a provider cannot, the caller is told so instead of being pretended to.

use compact_str::CompactString;
use protocol::command::Refusal;
use protocol::content::Channel;

/// Something that not every channel can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Send messages at all.
    Send,
    /// Change a message that was sent.
    Edit,
    /// Take a message back.
    Delete,
    /// Show the contact that somebody is typing.
    Typing,
    /// Put an emoji on a message.
    Reaction,
}

impl Capability {
    /// Name in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::Typing => "typing",
            Self::Reaction => "reaction",
        }
    }

    /// Whether a channel can do it. WhatsApp has no call that edits or deletes; text messages and the web chat are
    /// not connected yet.
    #[must_use]
    pub const fn is_supported(self, channel: Channel) -> bool {
        match channel {
            Channel::Whatsapp => matches!(self, Self::Send | Self::Typing | Self::Reaction),
            Channel::Sms | Channel::Web => false,
        }
    }

    /// Refuses where the channel cannot do it.
    ///
    /// # Errors
    /// Names the capability that is missing.
    pub fn require(self, channel: Channel) -> Result<(), Refusal> {
        if self.is_supported(channel) {
            Ok(())
        } else {
            Err(Refusal::NotSupported { capability: CompactString::const_new(self.name()) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b5_whatsapp_says_that_it_cannot_edit_or_delete() {
        for capability in [Capability::Edit, Capability::Delete] {
            let refusal = capability.require(Channel::Whatsapp).unwrap_err();
            assert_eq!(refusal, Refusal::NotSupported { capability: capability.name().into() });
        }
        assert_eq!(Capability::Reaction.require(Channel::Whatsapp), Ok(()));
        assert!(Capability::Send.require(Channel::Sms).is_err());
    }
}
