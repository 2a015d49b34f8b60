use protocol::content::ProviderError;
use protocol::directory::{Task, TaskKind};
use protocol::whatsapp::template::{Listed, TemplateAnswer, TemplateCall};

use super::*;
use crate::limits::TEMPLATE_RETRY_MAX;
use crate::template::{After, Deletion, adopt, call, delete, edit, refuse, settle, submit, synchronise};

fn new() -> Template {
    let mut new = Template { provider_id: None, ..template(TemplateStatus::Pending) };
    submit(&mut new, WabaId::new("77"));
    new
}

fn edited() -> Template {
    let before = template(TemplateStatus::Approved);
    edit(&before, reworded(&before), NOW).unwrap()
}

fn deleted(status: TemplateStatus) -> Template {
    match delete(&template(status), NOW).unwrap() {
        Deletion::AfterTask(template) => *template,
        Deletion::Now => panic!("an approved one is the provider's business"),
    }
}

fn error(code: i64) -> ProviderError {
    ProviderError { code, title: "no".into(), detail: None }
}

fn refused(code: i64) -> TemplateAnswer {
    TemplateAnswer::Refused(error(code))
}

fn listed(template: &Template, status: TemplateStatus) -> Listed {
    Listed {
        id: "42".into(),
        name: template.name.clone(),
        language: template.language.clone(),
        status: Some(status),
        category: Some(Category::Marketing),
        quality: None,
        reason: None,
        body: template.body.clone(),
        is_plain: true,
    }
}

#[test]
fn d13_each_task_is_one_call() {
    assert!(
        matches!(call(&new()), Some(TemplateCall::Create(draft)) if draft.parameters[0].1 == "example 1")
    );
    assert!(matches!(call(&edited()), Some(TemplateCall::Edit { with_category: false, .. })));
    assert!(matches!(call(&deleted(TemplateStatus::Approved)), Some(TemplateCall::Delete { .. })));
    let unnamed = Template { provider_id: None, ..edited() };
    assert_eq!(call(&unnamed), None, "its id has to be looked up first");
    assert_eq!(call(&template(TemplateStatus::Approved)), None);
}

#[test]
fn d13_an_accepted_submission_waits_for_its_review() {
    let mut template = new();
    let answer = TemplateAnswer::Created {
        id: "42".into(),
        status: TemplateStatus::Pending,
        category: Some(Category::Marketing),
    };
    assert_eq!(settle(&mut template, &answer, NOW), After::Keep);
    assert_eq!(
        (template.provider_id.as_deref(), template.status, template.category),
        (Some("42"), TemplateStatus::Pending, Category::Marketing)
    );
    assert_eq!(template.review.task, None);
    // The webhook of the verdict was faster than the answer.
    let mut judged = Template { status: TemplateStatus::Approved, provider_id: Some("42".into()), ..new() };
    settle(&mut judged, &answer, NOW);
    assert_eq!(judged.status, TemplateStatus::Approved);
}

#[test]
fn d13_passing_trouble_is_tried_again_with_growing_pauses() {
    let mut template = new();
    let mut pauses = Vec::new();
    for _ in 0..20 {
        let lost = TemplateAnswer::NoAnswer { detail: "no answer in time".into() };
        assert_eq!(settle(&mut template, &lost, NOW), After::Keep);
        pauses.push(template.review.task.as_ref().unwrap().not_before - NOW);
    }
    assert!(pauses.is_sorted() && pauses[0] < pauses[4] && pauses[19] == TEMPLATE_RETRY_MAX, "{pauses:?}");
    for code in [4, 190, 80_007] {
        let mut template = new();
        assert_eq!(settle(&mut template, &refused(code), NOW), After::Keep, "{code}");
        let task = template.review.task.unwrap();
        assert_eq!(task.not_before - NOW, TEMPLATE_RETRY_MAX);
        assert!(task.error.unwrap().starts_with(&code.to_string()));
    }
}

#[test]
fn d13_a_final_refusal_restores_what_was() {
    let mut template = new();
    assert_eq!(settle(&mut template, &refused(2_388_299), NOW), After::LookUp);
    assert_eq!(adopt(&mut template, None, NOW), None);
    refuse(&mut template, &error(2_388_299));
    assert_eq!(
        (template.status, template.reason.as_deref()),
        (TemplateStatus::Rejected, Some("2388299: no"))
    );
    let mut changed = edited();
    refuse(&mut changed, &error(100));
    assert_eq!((changed.status, changed.body.as_str()), (TemplateStatus::Approved, "Ciao {{1}}."));
    let mut kept = deleted(TemplateStatus::Paused);
    refuse(&mut kept, &error(100));
    assert!(kept.is_there() && kept.status == TemplateStatus::Paused && kept.review.task.is_none());
}

#[test]
fn d13_what_happened_before_is_recognised_in_the_list() {
    let mut template = new();
    let found = listed(&template, TemplateStatus::Approved);
    assert_eq!(adopt(&mut template, Some(&found), NOW), Some(After::Keep));
    assert_eq!(
        (template.status, template.provider_id.as_deref(), template.category),
        (TemplateStatus::Approved, Some("42"), Category::Marketing)
    );
    let mut other = Template { body: "Another.".into(), ..new() };
    assert_eq!(adopt(&mut other, Some(&found), NOW), None, "the name is taken by another text");
    let mut gone = deleted(TemplateStatus::Rejected);
    assert_eq!(adopt(&mut gone, None, NOW), Some(After::Remove));
    let mut unnamed = Template { provider_id: None, ..edited() };
    let mut before = found;
    before.body = "Ciao {{1}}.".into();
    assert_eq!(adopt(&mut unnamed, Some(&before), NOW), Some(After::Keep));
    assert!(call(&unnamed).is_some(), "its id is known now");
    let mut lost = Template { provider_id: None, ..edited() };
    adopt(&mut lost, None, NOW);
    assert_eq!(lost.review.task, Some(Task::new(TaskKind::Create)));
}

#[test]
fn d13_finished_tasks_leave_their_mark() {
    let mut changed = edited();
    settle(&mut changed, &TemplateAnswer::Done, NOW);
    assert_eq!(changed.review.edited_at, [NOW]);
    let mut approved = deleted(TemplateStatus::Approved);
    assert_eq!(settle(&mut approved, &TemplateAnswer::Done, NOW), After::Keep, "its name is blocked");
    let mut rejected = deleted(TemplateStatus::Rejected);
    assert_eq!(settle(&mut rejected, &TemplateAnswer::Done, NOW), After::Remove);
}

#[test]
fn e4_a_list_of_the_provider_is_taken_over_once() {
    let mut template = template(TemplateStatus::Pending);
    let mut found = listed(&template, TemplateStatus::Rejected);
    found.reason = Some("SCAM".into());
    found.body = "Other.".into();
    assert!(synchronise(&mut template, &found));
    assert_eq!((template.reason.as_deref(), template.body.as_str()), (Some("SCAM"), "Other."));
    assert!(!synchronise(&mut template, &found), "again changes nothing");
    found.status = Some(TemplateStatus::Approved);
    assert!(synchronise(&mut template, &found));
    assert_eq!(template.reason, None);
}
