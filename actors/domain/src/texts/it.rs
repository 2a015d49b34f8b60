//! Italian.

use super::Texts;

pub(super) const TEXTS: Texts = Texts {
    error_reply: "Mi dispiace, non ho capito. Per candidarti invia il codice dell'offerta. Per parlare con una persona scrivi /chat.",
    chat_opened: "La chat è aperta: scrivi il tuo messaggio e una persona ti risponderà. Per chiudere la chat scrivi /endchat.",
    chat_closed: "La chat è chiusa. Per candidarti invia il codice dell'offerta. Per parlare di nuovo con una persona scrivi /chat.",
    completed: "Ora la chat con il nostro team è aperta: quello che scrivi qui sarà letto da una persona.",
    flow_gone: "Mi dispiace, questa candidatura non può proseguire. Per ricominciare invia il codice dell'offerta. Per parlare con una persona scrivi /chat.",
    declined: "Capito. Senza il tuo consenso non possiamo proseguire con la candidatura. Per parlare con una persona scrivi /chat.",
    opted_out: "Non riceverai più messaggi da noi. Se cambi idea scrivi START.",
    opted_in: "Bentornato: riceverai di nuovo i nostri messaggi.",
    reminder: "La tua candidatura non è ancora completa. Ecco la domanda a cui devi ancora rispondere:",
    skip_hint: "(Facoltativo: scrivi /skip per saltare questa domanda.)",
    back_hint: "Scrivi back per correggere la risposta precedente.",
    cannot_skip: "Questa domanda non si può saltare.",
    out_of_range: "La risposta è fuori dai limiti ammessi.",
    retry_text: "Rispondi con un messaggio di testo, per favore.",
    retry_choice: "Scegli una delle opzioni o scrivi il suo numero, per favore.",
    retry_number: "Rispondi con un numero, per esempio 3 o 2,5, per favore.",
    retry_date: "Scrivi la data così: 20/11/2026, per favore.",
    retry_email: "Non sembra un indirizzo e-mail. Scrivilo così: nome@esempio.it, per favore.",
    retry_phone: "Scrivi il numero di telefono con il prefisso internazionale, per esempio +39 333 1234567.",
    retry_file: "Invia un file, per favore: un documento o una foto.",
    retry_location: "Invia la tua posizione con la graffetta, Posizione, per favore.",
    retry_consent: "Rispondi sì o no, per favore.",
    list_button: "Scegli",
    yes: "Sì",
    no: "No",
};
