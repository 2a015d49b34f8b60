//! Portuguese, as written in Brazil.

use super::Texts;

pub(super) const TEXTS: Texts = Texts {
    error_reply: "Desculpe, não entendi. Para se candidatar, envie o código da vaga. Para falar com uma pessoa, escreva /chat.",
    chat_opened: "O chat está aberto: escreva sua mensagem e uma pessoa vai responder. Para encerrar o chat, escreva /endchat.",
    chat_closed: "O chat foi encerrado. Para se candidatar, envie o código da vaga. Para falar de novo com uma pessoa, escreva /chat.",
    completed: "O chat com a nossa equipe está aberto: o que você escrever aqui será lido por uma pessoa.",
    flow_gone: "Desculpe, esta candidatura não pode continuar. Para recomeçar, envie o código da vaga. Para falar com uma pessoa, escreva /chat.",
    declined: "Entendido. Sem o seu consentimento não podemos continuar a candidatura. Para falar com uma pessoa, escreva /chat.",
    opted_out: "Você não vai mais receber nossas mensagens. Se mudar de ideia, escreva START.",
    opted_in: "Que bom ter você de volta: você vai receber nossas mensagens novamente.",
    reminder: "Sua candidatura ainda não terminou. Esta é a pergunta que falta responder:",
    skip_hint: "(Opcional: escreva /skip para pular esta pergunta.)",
    back_hint: "Escreva back para corrigir a resposta anterior.",
    cannot_skip: "Esta pergunta não pode ser pulada.",
    out_of_range: "A resposta está fora dos limites permitidos.",
    retry_text: "Por favor, responda com uma mensagem de texto.",
    retry_choice: "Por favor, escolha uma das opções ou escreva o número dela.",
    retry_number: "Por favor, responda com um número, por exemplo 3 ou 2,5.",
    retry_date: "Por favor, escreva a data assim: 20/11/2026.",
    retry_email: "Isso não parece um e-mail. Escreva assim: nome@exemplo.com.br.",
    retry_phone: "Por favor, escreva o telefone com o código do país, por exemplo +55 11 91234-5678.",
    retry_file: "Por favor, envie um arquivo: um documento ou uma foto.",
    retry_location: "Por favor, envie sua localização pelo clipe, Localização.",
    retry_consent: "Por favor, responda sim ou não.",
    list_button: "Escolher",
    yes: "Sim",
    no: "Não",
};
