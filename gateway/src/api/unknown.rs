//! Requests that no call answers.

use std::sync::LazyLock;

use actix_web::dev::ResourceDef;
use actix_web::error::{InternalError, PathError};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, ResponseError as _};

use super::contract::{document, operations};
use super::problem::ApiError;

/// Every path of the contract with the methods that it has.
static PATHS: LazyLock<Vec<(ResourceDef, String)>> = LazyLock::new(|| {
    let paths = document().paths.paths.into_iter().map(|(path, mut item)| {
        let methods: Vec<_> = operations(&mut item).map(|(method, _)| method.to_string()).collect();
        (ResourceDef::new(path), methods.join(", "))
    });
    paths.collect()
});

/// An id in the address that is not one: nothing can have it.
pub(super) fn wrong_path(error: PathError, request: &HttpRequest) -> actix_web::Error {
    // `/templates/sync` is no template, though its other methods lead to the calls of one.
    if let Some((_, methods)) = PATHS.iter().find(|(path, _)| path.pattern() == Some(request.path())) {
        return InternalError::from_response(error, no_such_method(methods)).into();
    }
    let detail = match error {
        PathError::Deserialize(error) => error.to_string(),
        other => other.to_string(),
    };
    ApiError::new(StatusCode::NOT_FOUND, "not_found", "Not found", format!("the address: {detail}")).into()
}

/// A path without a call, or one that has no such method.
pub(super) async fn no_such_call(request: HttpRequest) -> HttpResponse {
    let Some((_, methods)) = PATHS.iter().find(|(path, _)| path.is_match(request.path())) else {
        return ApiError::not_found("call; /openapi.json lists them").error_response();
    };
    no_such_method(methods)
}

fn no_such_method(methods: &str) -> HttpResponse {
    let (status, detail) = (StatusCode::METHOD_NOT_ALLOWED, format!("this path has {methods}"));
    let mut answer = ApiError::new(status, "method", "Method not allowed", detail).error_response();
    if let Ok(methods) = methods.parse() {
        answer.headers_mut().insert(header::ALLOW, methods);
    }
    answer
}
