//! The lists. Folded: lower case, no accents. The English ones are those that providers act upon (facts 7).

/// Refusals.
pub(super) const OPT_OUT: &[&str] = &[
    // English, and what providers define
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
    // Italian
    "disiscrivimi",
    "disiscriviti",
    "cancellami",
    "annulla iscrizione",
    "basta messaggi",
    // Russian
    "стоп",
    "отписаться",
    "отписка",
    "отпишите меня",
    // French
    "arret",
    "arreter",
    "desabonner",
    "desinscription",
    "se desabonner",
    "me desabonner",
    // Japanese, in the compatibility form that folding yields
    "停止",
    "配信停止",
    "退会",
    // Portuguese
    "parar",
    "pare",
    "sair",
    "descadastrar",
    "cancelar inscricao",
    // Spanish
    "baja",
    "darme de baja",
    "cancelar suscripcion",
    "alto",
    // German
    "stopp",
    "abmelden",
    "abbestellen",
    "abmeldung",
];

/// Welcomes. They count only after a refusal, so that nobody's answer is taken away.
pub(super) const OPT_IN: &[&str] = &[
    "start",
    "unstop",
    "subscribe",
    "optin",
    "opt-in",
    "opt in",
    "iscrivimi",
    "riprendi",
    "старт",
    "подписаться",
    "reprendre",
    "s'abonner",
    "再開",
    "voltar a receber",
    "inscrever",
    "reanudar",
    "suscribirme",
    "anmelden",
];
