//! What the served contract says about request bodies: an example of each, and every field with its place.

use serde_json::{Map, Value, json};

/// A field of a body.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// Its JSON pointer; lists by their first element, maps by a key of ours.
    pub(super) pointer: String,
    pub(super) schema: Value,
    pub(super) required: bool,
}

/// A call with a JSON body.
pub(super) struct Operation {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) body: Option<Value>,
}

impl Operation {
    pub(super) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }
}

/// The served document.
pub(super) struct Contract(Value);

/// No body goes deeper, but filters, which hold filters.
const DEPTH: usize = 4;

impl Contract {
    pub(super) fn served() -> Self {
        Self(serde_json::to_value(gateway::api::document()).unwrap())
    }

    pub(super) fn operations(&self) -> Vec<Operation> {
        let mut all = Vec::new();
        for (path, item) in self.0["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap().iter().filter(|(_, value)| value.is_object())
            {
                let body = operation.pointer("/requestBody/content/application~1json/schema").cloned();
                all.push(Operation { method: method.to_uppercase(), path: path.clone(), body });
            }
        }
        all
    }

    /// Query parameters of all calls that are no text: method, path, name.
    pub(super) fn numbers_asked_for(&self) -> Vec<(String, String, String)> {
        let mut all = Vec::new();
        for Operation { method, path, .. } in self.operations() {
            let operation = &self.0["paths"][&path][method.to_lowercase()];
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let is_text = self.kinds(&parameter["schema"]).iter().any(|kind| kind == "string");
                if parameter["in"] == "query" && !is_text {
                    all.push((method.clone(), path.clone(), parameter["name"].as_str().unwrap().to_owned()));
                }
            }
        }
        all
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => self.resolve(self.0.pointer(&reference[1..]).unwrap()),
            None => schema,
        }
    }

    /// What a schema allows, one after the other, without `null`.
    pub(super) fn choices<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let schema = self.resolve(schema);
        let several = ["oneOf", "anyOf"].iter().find_map(|key| schema[*key].as_array());
        let all = several.map_or(vec![schema], |of| of.iter().flat_map(|one| self.choices(one)).collect());
        all.into_iter().filter(|one| one["type"] != "null").collect()
    }

    /// The JSON types that a field may have; none where it may have any.
    fn kinds(&self, schema: &Value) -> Vec<String> {
        let kinds = |one: &Value| match &one["type"] {
            Value::String(kind) => vec![kind.clone()],
            Value::Array(kinds) => kinds.iter().map(|kind| kind.as_str().unwrap().to_owned()).collect(),
            _ => vec!["object".into(), "array".into(), "number".into(), "boolean".into(), "string".into()],
        };
        self.choices(schema).into_iter().flat_map(kinds).collect()
    }

    /// A value of a type that the field does not take.
    pub(super) fn of_another_type(&self, field: &Field) -> Option<Value> {
        let kinds = self.kinds(&field.schema);
        let is = |kind: &str| kinds.iter().any(|own| own == kind || (own == "integer" && kind == "number"));
        let others = [("object", json!({ "oh": 1 })), ("boolean", json!(true)), ("number", json!(7.5))];
        others.into_iter().find(|(kind, _)| !is(kind)).map(|(_, value)| value)
    }

    /// Whether a field is a text of people's own, and no id, and not in a condition within another one.
    pub(super) fn is_text(&self, field: &Field) -> bool {
        let own = |one: &Value| {
            let pattern = one["pattern"].as_str().unwrap_or_default();
            one["type"].to_string().contains("string")
                && one["enum"].is_null()
                && one["format"].is_null()
                && prefix(pattern).is_none()
        };
        let nested = ["/all/", "/any/", "/not/"].iter().any(|part| field.pointer.contains(part));
        !nested && self.choices(&field.schema).into_iter().any(own)
    }

    /// The smallest body that a schema allows.
    pub(super) fn example(&self, schema: &Value) -> Value {
        let schema = self.choices(schema)[0];
        if let Some(one) = schema["enum"].get(0) {
            return one.clone();
        }
        match self.kinds(schema)[0].as_str() {
            "object" => {
                let required =
                    schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap());
                let of = |name: &str| (name.to_owned(), self.example(&schema["properties"][name]));
                Value::Object(required.map(of).collect())
            }
            "array" => json!([]),
            "integer" | "number" => {
                schema["minimum"].as_f64().map_or(json!(1), |least| json!(least.max(1.0) as i64))
            }
            "boolean" => json!(true),
            _ => text(schema),
        }
    }

    /// Every field of a body, down to the leaves.
    pub(super) fn fields(&self, body: &Value) -> Vec<Field> {
        let mut all = Vec::new();
        self.below(body, "", DEPTH, &mut all);
        all
    }

    fn below(&self, schema: &Value, above: &str, depth: usize, all: &mut Vec<Field>) {
        for schema in self.choices(schema).into_iter().filter(|_| depth > 0) {
            let required = |name: &str| {
                schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name))
            };
            let named = schema["properties"].as_object().into_iter().flatten();
            let named = named.map(|(name, of)| (name.as_str(), of, required(name)));
            let element = schema["items"].is_object().then(|| ("0", &schema["items"], false));
            let value = schema["additionalProperties"]
                .is_object()
                .then(|| ("1", &schema["additionalProperties"], false));
            for (name, of, required) in named.chain(element).chain(value) {
                let pointer = format!("{above}/{name}");
                all.push(Field { pointer: pointer.clone(), schema: of.clone(), required });
                self.below(of, &pointer, depth - 1, all);
            }
        }
    }

    /// A body with a value at a field, and whatever has to be around it; `None` takes the field away.
    pub(super) fn with(&self, body: &Value, field: &Field, value: Option<&Value>) -> Value {
        let path: Vec<&str> = field.pointer[1..].split('/').collect();
        self.put(body, self.example(body), &path, value)
    }

    fn put(&self, schema: &Value, mut whole: Value, path: &[&str], value: Option<&Value>) -> Value {
        let Some((name, rest)) = path.split_first() else { return value.cloned().unwrap_or_default() };
        let fits = |one: &&&Value| {
            let own = |key: &str| one[key].is_object();
            one["properties"][*name].is_object()
                || (*name == "0" && own("items"))
                || (*name == "1" && own("additionalProperties"))
        };
        let choices = self.choices(schema);
        let schema = choices.iter().find(fits).unwrap();
        let of = [&schema["properties"][*name], &schema["items"], &schema["additionalProperties"]];
        let of = of.into_iter().find(|of| of.is_object()).unwrap();
        if schema["items"].is_object() {
            return json!([self.put(of, self.example(of), rest, value)]);
        }
        if !whole.is_object() || choices[0] != *schema {
            whole = self.example(schema);
        }
        let inside = whole.as_object_mut().unwrap_or_else(|| unreachable!("it was made an object"));
        if rest.is_empty() && value.is_none() {
            inside.remove(*name);
        } else {
            let before = inside.remove(*name).unwrap_or_else(|| self.example(of));
            inside.insert((*name).to_owned(), self.put(of, before, rest, value));
        }
        Value::Object(std::mem::take(inside))
    }
}

/// The kind of an id, by its pattern.
fn prefix(pattern: &str) -> Option<&str> {
    let (prefix, _) = pattern.strip_prefix('^')?.split_once('_')?;
    prefix.chars().all(|letter| letter.is_ascii_lowercase()).then_some(prefix)
}

/// A text that keeps the pattern of its field, as far as our fields have patterns.
fn text(schema: &Value) -> Value {
    if let Some(example) = schema.get("example").or_else(|| schema["examples"].get(0)) {
        return example.clone();
    }
    let pattern = schema["pattern"].as_str().unwrap_or_default();
    if let Some(prefix) =
        pattern.strip_prefix('^').and_then(|rest| rest.split_once('_')).map(|(prefix, _)| prefix)
        && prefix.chars().all(|letter| letter.is_ascii_lowercase())
    {
        return json!(format!("{prefix}_00000000000000000000000000"));
    }
    match pattern {
        "" => json!("x"),
        pattern if pattern.contains("https") => json!("https://hooks.tests.example/"),
        pattern if pattern.contains('@') => json!("x@tests.example"),
        pattern if pattern.contains("):[") => json!("08:30"),
        pattern if pattern.contains("[a-z]{2,3}") => json!("it"),

        pattern if pattern.contains("[0-9]") => json!("1"),
        other => panic!("no example for {other}"),
    }
}

/// Fields whose names the bodies of the contract never have.
pub(super) fn with_unknown(body: &Value) -> Value {
    let mut body = body.as_object().cloned().unwrap_or_else(Map::new);
    body.insert("kitten".into(), json!(1));
    Value::Object(body)
}
