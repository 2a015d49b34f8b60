//! What somebody who is away is told, in the languages of tenants. Nothing of it is private: no names, no numbers, no texts of
//! messages, since mailboxes and lock screens are read by others.

use std::fmt::Write as _;

use protocol::fact::NotificationKind;

/// What happened, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// What happened how often, a line each.
    pub summary: String,
    /// Why the user gets it.
    pub why: &'static str,
}

/// The words of one language. A struct, so that no language can lack one.
struct Words {
    subject: &'static str,
    new_messages: &'static str,
    applications: &'static str,
    closing: &'static str,
    failed: &'static str,
    assigned: &'static str,
    missed_calls: &'static str,
    opt_outs: &'static str,
    low_credits: &'static str,
    conversations: &'static str,
    why: &'static str,
}

impl Words {
    const fn of_kind(&self, kind: NotificationKind) -> &'static str {
        match kind {
            NotificationKind::NewMessage => self.new_messages,
            NotificationKind::ApplicationCompleted => self.applications,
            NotificationKind::WindowClosingSoon => self.closing,
            NotificationKind::SendFailed => self.failed,
            NotificationKind::Assigned => self.assigned,
            NotificationKind::MissedCall => self.missed_calls,
            NotificationKind::OptedOut => self.opt_outs,
            NotificationKind::LowCredits => self.low_credits,
        }
    }
}

/// Tells how many notifications about what are unread, in a language such as `it` or `pt-BR`; English where there is none.
#[must_use]
pub fn letter(language: &str, counts: &[(NotificationKind, u64)], conversations: u64) -> Letter {
    let primary = language.split(['-', '_']).next().unwrap_or_default();
    let words =
        ALL.iter().find(|(code, _)| code.eq_ignore_ascii_case(primary)).map_or(&EN, |(_, words)| words);
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    let mut summary = String::new();
    for (kind, count) in counts {
        // Writing into a text cannot fail.
        let _ = writeln!(summary, "{}: {count}", words.of_kind(*kind));
    }
    if conversations > 0 {
        let _ = writeln!(summary, "{}{conversations}", words.conversations);
    }
    Letter {
        subject: format!("{}{total}", words.subject),
        summary: summary.trim_end().to_owned(),
        why: words.why,
    }
}

const ALL: [(&str, &Words); 8] =
    [("en", &EN), ("it", &IT), ("ru", &RU), ("fr", &FR), ("ja", &JA), ("pt", &PT), ("es", &ES), ("de", &DE)];

const EN: Words = Words {
    subject: "Unread notifications: ",
    new_messages: "New messages",
    applications: "Completed applications",
    closing: "Windows that close soon",
    failed: "Messages that were not sent",
    assigned: "Conversations given to you",
    missed_calls: "Missed calls",
    opt_outs: "Opt-outs",
    low_credits: "Credits run low",
    conversations: "Conversations: ",
    why: "You get this because you asked to be told while you are away. Change that in your notification settings.",
};

const IT: Words = Words {
    subject: "Notifiche non lette: ",
    new_messages: "Nuovi messaggi",
    applications: "Candidature completate",
    closing: "Finestre in chiusura",
    failed: "Messaggi non inviati",
    assigned: "Conversazioni assegnate a te",
    missed_calls: "Chiamate perse",
    opt_outs: "Rinunce ai messaggi",
    low_credits: "Credito in esaurimento",
    conversations: "Conversazioni: ",
    why: "Ricevi questo avviso perché hai chiesto di essere avvisato quando non ci sei. Puoi cambiarlo nelle impostazioni delle notifiche.",
};

const RU: Words = Words {
    subject: "Непрочитанные уведомления: ",
    new_messages: "Новые сообщения",
    applications: "Завершённые отклики",
    closing: "Окна скоро закроются",
    failed: "Неотправленные сообщения",
    assigned: "Чаты, назначенные вам",
    missed_calls: "Пропущенные звонки",
    opt_outs: "Отказы от сообщений",
    low_credits: "Заканчиваются средства",
    conversations: "Чаты: ",
    why: "Вы получили это, потому что просили сообщать о новом, когда вас нет. Это можно изменить в настройках уведомлений.",
};

const FR: Words = Words {
    subject: "Notifications non lues : ",
    new_messages: "Nouveaux messages",
    applications: "Candidatures terminées",
    closing: "Fenêtres bientôt fermées",
    failed: "Messages non envoyés",
    assigned: "Conversations qui vous sont confiées",
    missed_calls: "Appels manqués",
    opt_outs: "Désinscriptions",
    low_credits: "Crédit bientôt épuisé",
    conversations: "Conversations : ",
    why: "Vous recevez ceci parce que vous avez demandé à être prévenu en votre absence. Vous pouvez le changer dans les réglages des notifications.",
};

const JA: Words = Words {
    subject: "未読の通知：",
    new_messages: "新しいメッセージ",
    applications: "完了した応募",
    closing: "まもなく閉じるウィンドウ",
    failed: "送信できなかったメッセージ",
    assigned: "あなたに割り当てられた会話",
    missed_calls: "不在着信",
    opt_outs: "配信停止",
    low_credits: "残高不足",
    conversations: "会話：",
    why: "不在時の通知をご希望のため、このお知らせをお送りしています。通知設定で変更できます。",
};

const PT: Words = Words {
    subject: "Notificações não lidas: ",
    new_messages: "Novas mensagens",
    applications: "Candidaturas concluídas",
    closing: "Janelas prestes a fechar",
    failed: "Mensagens não enviadas",
    assigned: "Conversas atribuídas a você",
    missed_calls: "Chamadas perdidas",
    opt_outs: "Cancelamentos de mensagens",
    low_credits: "Crédito quase no fim",
    conversations: "Conversas: ",
    why: "Você recebe este aviso porque pediu para ser avisado quando está ausente. Isso pode ser alterado nas configurações de notificações.",
};

const ES: Words = Words {
    subject: "Notificaciones sin leer: ",
    new_messages: "Mensajes nuevos",
    applications: "Candidaturas completadas",
    closing: "Ventanas a punto de cerrarse",
    failed: "Mensajes no enviados",
    assigned: "Conversaciones asignadas a ti",
    missed_calls: "Llamadas perdidas",
    opt_outs: "Bajas de mensajes",
    low_credits: "Saldo casi agotado",
    conversations: "Conversaciones: ",
    why: "Recibes este aviso porque pediste que te avisáramos cuando no estás. Puedes cambiarlo en los ajustes de notificaciones.",
};

const DE: Words = Words {
    subject: "Ungelesene Benachrichtigungen: ",
    new_messages: "Neue Nachrichten",
    applications: "Abgeschlossene Bewerbungen",
    closing: "Fenster, die sich bald schließen",
    failed: "Nicht gesendete Nachrichten",
    assigned: "Dir zugeteilte Gespräche",
    missed_calls: "Verpasste Anrufe",
    opt_outs: "Abmeldungen",
    low_credits: "Guthaben geht zur Neige",
    conversations: "Gespräche: ",
    why: "Du erhältst das, weil du bei Abwesenheit informiert werden möchtest. Das lässt sich in den Einstellungen der Benachrichtigungen ändern.",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts;

    #[test]
    fn d12_what_is_told_is_counts_in_the_language_of_the_tenant() {
        let counts = [(NotificationKind::NewMessage, 3), (NotificationKind::SendFailed, 1)];
        let told = letter("it-IT", &counts, 2);
        assert_eq!(told.subject, "Notifiche non lette: 4");
        assert_eq!(told.summary, "Nuovi messaggi: 3\nMessaggi non inviati: 1\nConversazioni: 2");
        assert_eq!(letter("xx", &counts[..1], 0).summary, "New messages: 3");
    }

    #[test]
    fn every_language_of_automatic_texts_is_there() {
        let codes = |(code, _): &(&'static str, _)| *code;
        assert_eq!(ALL.map(|entry| entry.0), texts::ALL.each_ref().map(codes));
    }
}
