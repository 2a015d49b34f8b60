//! Spanish.

use super::Texts;

pub(super) const TEXTS: Texts = Texts {
    error_reply: "Lo siento, no he entendido. Para postularte, envía el código de la oferta. Para hablar con una persona, escribe /chat.",
    chat_opened: "El chat está abierto: escribe tu mensaje y una persona te responderá. Para cerrar el chat, escribe /endchat.",
    chat_closed: "El chat está cerrado. Para postularte, envía el código de la oferta. Para hablar de nuevo con una persona, escribe /chat.",
    completed: "El chat con nuestro equipo está abierto: una persona leerá lo que escribas aquí.",
    flow_gone: "Lo siento, esta solicitud no puede continuar. Para empezar de nuevo, envía el código de la oferta. Para hablar con una persona, escribe /chat.",
    declined: "Entendido. Sin tu consentimiento no podemos continuar con la solicitud. Para hablar con una persona, escribe /chat.",
    opted_out: "No recibirás más mensajes nuestros. Si cambias de opinión, escribe START.",
    opted_in: "Bienvenido de nuevo: volverás a recibir nuestros mensajes.",
    reminder: "Tu solicitud todavía no está completa. Esta es la pregunta que espera tu respuesta:",
    skip_hint: "(Opcional: escribe /skip para saltar esta pregunta.)",
    back_hint: "Escribe back para corregir tu respuesta anterior.",
    cannot_skip: "Esta pregunta no se puede saltar.",
    out_of_range: "La respuesta está fuera de los límites permitidos.",
    retry_text: "Por favor, responde con un mensaje de texto.",
    retry_choice: "Por favor, elige una de las opciones o escribe su número.",
    retry_number: "Por favor, responde con un número, por ejemplo 3 o 2,5.",
    retry_date: "Por favor, escribe la fecha así: 20/11/2026.",
    retry_email: "Esto no parece una dirección de correo. Escríbela así: nombre@ejemplo.es.",
    retry_phone: "Por favor, escribe el teléfono con el prefijo del país, por ejemplo +34 612 345 678.",
    retry_file: "Por favor, envía un archivo: un documento o una foto.",
    retry_location: "Por favor, envía tu ubicación con el clip, Ubicación.",
    retry_consent: "Por favor, responde sí o no.",
    list_button: "Elegir",
    yes: "Sí",
    no: "No",
};
