//! French.

use super::Texts;

pub(super) const TEXTS: Texts = Texts {
    error_reply: "Désolé, je n'ai pas compris. Pour postuler, envoyez le code de l'offre. Pour parler à une personne, écrivez /chat.",
    chat_opened: "Le chat est ouvert : écrivez votre message et une personne vous répondra. Pour fermer le chat, écrivez /endchat.",
    chat_closed: "Le chat est fermé. Pour postuler, envoyez le code de l'offre. Pour parler de nouveau à une personne, écrivez /chat.",
    completed: "Le chat avec notre équipe est maintenant ouvert : une personne lira tout ce que vous écrivez ici.",
    flow_gone: "Désolé, cette candidature ne peut pas continuer. Pour recommencer, envoyez le code de l'offre. Pour parler à une personne, écrivez /chat.",
    declined: "C'est noté. Sans votre accord, nous ne pouvons pas poursuivre la candidature. Pour parler à une personne, écrivez /chat.",
    opted_out: "Vous ne recevrez plus de messages de notre part. Si vous changez d'avis, écrivez START.",
    opted_in: "Bon retour : vous recevrez de nouveau nos messages.",
    reminder: "Votre candidature n'est pas encore terminée. Voici la question qui attend votre réponse :",
    skip_hint: "(Facultatif : écrivez /skip pour passer cette question.)",
    back_hint: "Écrivez back pour corriger votre réponse précédente.",
    cannot_skip: "Cette question est obligatoire.",
    out_of_range: "La réponse est hors des limites autorisées.",
    retry_text: "Merci de répondre par un message texte.",
    retry_choice: "Merci de choisir une des options ou d'écrire son numéro.",
    retry_number: "Merci de répondre par un nombre, par exemple 3 ou 2,5.",
    retry_date: "Merci d'écrire la date ainsi : 20/11/2026.",
    retry_email: "Cela ne ressemble pas à une adresse e-mail. Écrivez-la ainsi : nom@exemple.fr.",
    retry_phone: "Merci d'écrire le numéro de téléphone avec l'indicatif du pays, par exemple +33 6 12 34 56 78.",
    retry_file: "Merci d'envoyer un fichier : un document ou une photo.",
    retry_location: "Merci d'envoyer votre position avec le trombone, Localisation.",
    retry_consent: "Merci de répondre oui ou non.",
    list_button: "Choisir",
    yes: "Oui",
    no: "Non",
};
