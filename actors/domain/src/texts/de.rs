//! German.

use super::Texts;

pub(super) const TEXTS: Texts = Texts {
    error_reply: "Das habe ich leider nicht verstanden. Um dich zu bewerben, sende den Code der Stelle. Um mit einem Menschen zu sprechen, schreibe /chat.",
    chat_opened: "Der Chat ist offen: Schreibe deine Nachricht, ein Mensch wird dir antworten. Um den Chat zu beenden, schreibe /endchat.",
    chat_closed: "Der Chat ist beendet. Um dich zu bewerben, sende den Code der Stelle. Um wieder mit einem Menschen zu sprechen, schreibe /chat.",
    completed: "Der Chat mit unserem Team ist jetzt offen: Was du hier schreibst, liest ein Mensch.",
    flow_gone: "Diese Bewerbung kann leider nicht fortgesetzt werden. Um neu zu beginnen, sende den Code der Stelle. Um mit einem Menschen zu sprechen, schreibe /chat.",
    declined: "Verstanden. Ohne deine Einwilligung können wir die Bewerbung nicht fortsetzen. Um mit einem Menschen zu sprechen, schreibe /chat.",
    opted_out: "Du erhältst keine Nachrichten mehr von uns. Wenn du es dir anders überlegst, schreibe START.",
    opted_in: "Willkommen zurück: Du erhältst wieder Nachrichten von uns.",
    reminder: "Deine Bewerbung ist noch nicht abgeschlossen. Auf diese Frage fehlt noch deine Antwort:",
    skip_hint: "(Freiwillig: Schreibe /skip, um diese Frage zu überspringen.)",
    back_hint: "Schreibe back, um deine vorige Antwort zu ändern.",
    cannot_skip: "Diese Frage kann nicht übersprungen werden.",
    out_of_range: "Die Antwort liegt außerhalb der erlaubten Grenzen.",
    retry_text: "Bitte antworte mit einer Textnachricht.",
    retry_choice: "Bitte wähle eine der Antworten oder schreibe ihre Nummer.",
    retry_number: "Bitte antworte mit einer Zahl, zum Beispiel 3 oder 2,5.",
    retry_date: "Bitte schreibe das Datum so: 20.11.2026.",
    retry_email: "Das sieht nicht nach einer E-Mail-Adresse aus. Bitte schreibe sie so: name@beispiel.de.",
    retry_phone: "Bitte schreibe die Telefonnummer mit Ländervorwahl, zum Beispiel +49 151 23456789.",
    retry_file: "Bitte sende eine Datei: ein Dokument oder ein Foto.",
    retry_location: "Bitte sende deinen Standort über die Büroklammer, Standort.",
    retry_consent: "Bitte antworte mit Ja oder Nein.",
    list_button: "Auswählen",
    yes: "Ja",
    no: "Nein",
};
