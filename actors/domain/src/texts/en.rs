//! English.

use super::Texts;

pub(super) const TEXTS: Texts = Texts {
    error_reply: "Sorry, I did not understand that. To apply for a job, send its code. To talk to a person, write /chat.",
    chat_opened: "The chat is open: write your message and a person will answer you. To close the chat, write /endchat.",
    chat_closed: "The chat is closed. To apply for a job, send its code. To talk to a person again, write /chat.",
    completed: "The chat with our team is open now: whatever you write here will be read by a person.",
    flow_gone: "Sorry, this application cannot be continued. To begin again, send the code of the job. To talk to a person, write /chat.",
    declined: "Understood. Without your consent we cannot go on with the application. To talk to a person, write /chat.",
    opted_out: "You will not receive any more messages from us. If you change your mind, write START.",
    opted_in: "Welcome back: you will receive our messages again.",
    reminder: "Your application is not finished yet. Here is the question that we need your answer to:",
    skip_hint: "(Optional: write /skip to skip this question.)",
    back_hint: "Write back to correct your previous answer.",
    cannot_skip: "This question cannot be skipped.",
    out_of_range: "The answer is outside the allowed range.",
    retry_text: "Please answer with a text message.",
    retry_choice: "Please choose one of the options, or write its number.",
    retry_number: "Please answer with a number, for example 3 or 2.5.",
    retry_date: "Please write the date like this: 20.11.2026.",
    retry_email: "This does not look like an e-mail address. Please write it like this: name@example.com.",
    retry_phone: "Please write the phone number with its country code, for example +44 7700 900123.",
    retry_file: "Please send a file: a document or a photo.",
    retry_location: "Please send your location with the paper clip, Location.",
    retry_consent: "Please answer yes or no.",
    list_button: "Choose",
    yes: "Yes",
    no: "No",
};
