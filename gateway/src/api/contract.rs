//! The contract: OpenAPI 3.1, from the handlers themselves.

use actix_web::App;
use actix_web::http::Method;
use protocol::api::problem::Problem;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{OpenApi, ToSchema};
use utoipa_actix_web::{AppExt, scope};

use super::command::{KEY_PATTERN, MAX_KEY_CHARS};
use super::problem::MEDIA_TYPE;
use super::settings::document::ETAG_PATTERN;

/// The answer that every operation may give instead of its own.
const PROBLEM: &str = "Problem";

/// The document that is served and kept in the repository.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(
        // Named by paths, and by a schema that holds itself.
        components(schemas(
            protocol::id::ViewId,
            protocol::condition::Count,
            protocol::condition::MeOrUser,
            protocol::condition::Span,
            protocol::condition::WindowState,
        )),
        info(
            title = "Recruiting conversation gateway",
            description = "Conversations between staffing agencies and candidates over WhatsApp and SMS. \
                A request that breaks this contract is answered 400; one that keeps it and cannot be carried out is \
                answered 404, 409, 412 or 422, with the reason. What a call has answered is found by later calls to the same node; lists of conversations and the \
                feed of events follow within milliseconds.",
            license(name = "MIT")
        ),
        tags(
            (name = "messages", description = "Send messages and look at them"),
            (name = "conversations", description = "The inbox and what people do in it"),
            (name = "contacts", description = "People and their consent"),
            (name = "files", description = "Files of messages"),
            (name = "settings", description = "Numbers, people, templates, flows, keys, endpoints"),
            (name = "billing", description = "What was charged, and why"),
            (name = "events", description = "The ordered feed for downstream services"),
            (name = "notifications", description = "What people are told"),
            (name = "operations", description = "Why things are as they are, and what was set aside"),
            (name = "audit", description = "Who did what"),
        )
    )]
    struct Contract;

    let (_, mut document) = App::new()
        .into_utoipa_app()
        .openapi(Contract::openapi())
        .service(scope::scope("/v1").configure(super::routes))
        .split_for_parts();
    let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
    document.components.get_or_insert_default().add_security_scheme("key", bearer);
    document.security = Some(vec![SecurityRequirement::new("key", Vec::<String>::new())]);
    add_common_problems(&mut document);
    say_what_headers_hold(&mut document);
    close_variants(&mut document);
    document
}

/// Headers are the same for every call that has them.
fn say_what_headers_hold(document: &mut utoipa::openapi::OpenApi) {
    let operations = document.paths.paths.values_mut().flat_map(operations);
    for parameter in operations.flat_map(|(_, operation)| operation.parameters.iter_mut().flatten()) {
        let RefOr::T(parameter) = parameter else { continue };
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let of_pattern = |pattern, example: &str| text().pattern(Some(pattern)).examples([example]);
        let schema = match parameter.name.as_str() {
            "Idempotency-Key" => of_pattern(KEY_PATTERN, "3f1c9a52").max_length(Some(MAX_KEY_CHARS)).into(),
            "If-Match" => {
                let any = text().enum_values(Some(["*"]));
                OneOfBuilder::new().item(any).item(of_pattern(ETAG_PATTERN, "\"3\"")).into()
            }
            _ => continue,
        };
        parameter.schema = Some(schema);
    }
}

/// A choice is an object with one field that names it: with a second one it is none.
fn close_variants(document: &mut utoipa::openapi::OpenApi) {
    for schema in document.components.iter_mut().flat_map(|components| components.schemas.values_mut()) {
        let RefOr::T(Schema::OneOf(choices)) = schema else { continue };
        for choice in &mut choices.items {
            if let RefOr::T(Schema::Object(choice)) = choice
                && choice.properties.len() == 1
                && choice.required.len() == 1
            {
                choice.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
            }
        }
    }
}

/// Says of every operation what any of them may answer, so that handlers name only what is their own.
fn add_common_problems(document: &mut utoipa::openapi::OpenApi) {
    let schema = Ref::from_schema_name(Problem::name());
    let problem = ResponseBuilder::new()
        .description("What is wrong, and the cure")
        .content(MEDIA_TYPE, ContentBuilder::new().schema(Some(schema)).build());
    let components = document.components.get_or_insert_default();
    components.responses.insert(PROBLEM.to_owned(), problem.build().into());
    for item in document.paths.paths.values_mut() {
        for (_, operation) in operations(item) {
            for status in common_problems(operation) {
                let answers = &mut operation.responses.responses;
                answers.entry(status.to_owned()).or_insert_with(|| Ref::from_response_name(PROBLEM).into());
            }
        }
    }
}

fn common_problems(operation: &Operation) -> Vec<&'static str> {
    let mut statuses = vec!["401", "403", "503"];
    let parameters: Vec<_> = operation
        .parameters
        .iter()
        .flatten()
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter),
            RefOr::Ref(_) => None,
        })
        .collect();
    let has = |place: &ParameterIn| parameters.iter().any(|parameter| parameter.parameter_in == *place);
    let header = |name: &str| parameters.iter().any(|parameter| parameter.name == name);
    statuses.extend(has(&ParameterIn::Path).then_some("404"));
    statuses.extend(header("Idempotency-Key").then_some("409"));
    statuses.extend(header("If-Match").then_some("412"));
    if operation.request_body.is_some() {
        statuses.extend(["413", "415"]);
    }
    if operation.request_body.is_some() || has(&ParameterIn::Query) || has(&ParameterIn::Header) {
        statuses.extend(["400", "422"]);
    }
    statuses
}

/// The operations of a path with their methods.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let all = [
        (Method::GET, &mut item.get),
        (Method::PUT, &mut item.put),
        (Method::POST, &mut item.post),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}
