//! The lists, by language. Folded: lower case, no accents. The English ones are those that providers act upon (facts 7).
//! All of them count whatever the contact's language is: nobody knows it for sure.

/// Language, refusals, welcomes. Welcomes count only after a refusal, so that nobody's answer is taken away.
type Words = (&'static str, &'static [&'static str], &'static [&'static str]);

const LANGUAGES: &[Words] = &[
    (
        "en",
        &[
            "stop",
            "stopall",
            "unsubscribe",
            "end",
            "quit",
            "cancel",
            "revoke",
            "optout",
            "opt-out",
            "opt out",
        ],
        &["start", "unstop", "subscribe", "optin", "opt-in", "opt in"],
    ),
    (
        "it",
        &["disiscrivimi", "disiscriviti", "cancellami", "annulla iscrizione", "basta messaggi"],
        &["iscrivimi", "riprendi"],
    ),
    ("ru", &["стоп", "отписаться", "отписка", "отпишите меня"], &["старт", "подписаться"]),
    (
        "fr",
        &["arret", "arreter", "desabonner", "desinscription", "se desabonner", "me desabonner"],
        &["reprendre", "s'abonner"],
    ),
    // In the compatibility form that folding yields.
    ("ja", &["停止", "配信停止", "退会"], &["再開"]),
    (
        "pt",
        &["parar", "pare", "sair", "descadastrar", "cancelar inscricao"],
        &["voltar a receber", "inscrever"],
    ),
    ("es", &["baja", "darme de baja", "cancelar suscripcion", "alto"], &["reanudar", "suscribirme"]),
    ("de", &["stopp", "abmelden", "abbestellen", "abmeldung"], &["anmelden"]),
];

/// Refusals in every language.
pub(super) fn opt_out() -> impl Iterator<Item = &'static str> {
    LANGUAGES.iter().flat_map(|(_, refusals, _)| *refusals).copied()
}

/// Welcomes in every language.
pub(super) fn opt_in() -> impl Iterator<Item = &'static str> {
    LANGUAGES.iter().flat_map(|(.., welcomes)| *welcomes).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts;

    #[test]
    fn e3_every_language_of_the_texts_has_its_words() {
        for (code, _) in texts::ALL {
            let lists: Vec<_> = LANGUAGES.iter().filter(|(language, ..)| *language == code).collect();
            let [(_, refusals, welcomes)] = lists[..] else { panic!("{code}: {lists:?}") };
            assert!(!refusals.is_empty() && !welcomes.is_empty(), "{code}");
        }
    }
}
