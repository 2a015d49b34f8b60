use protocol::directory::{Task, TaskKind};

use super::*;
use crate::limits::{TEMPLATE_EDITS, TEMPLATE_NAME_BLOCKED};
use crate::template::{Deletion, delete, edit, name_free_at, submit, unpause};

fn pointers(before: &Template, wanted: Template, now: TimestampMs) -> Vec<&'static str> {
    let problems = edit(before, wanted, now).err().unwrap_or_default();
    problems.into_iter().map(|problem| problem.pointer).collect()
}

#[test]
fn d13_only_approved_rejected_and_paused_templates_can_be_edited() {
    for (status, allowed) in [
        (TemplateStatus::Pending, false),
        (TemplateStatus::Approved, true),
        (TemplateStatus::Rejected, true),
        (TemplateStatus::Paused, true),
        (TemplateStatus::Disabled, false),
        (TemplateStatus::Deleted, false),
    ] {
        let before = template(status);
        match edit(&before, reworded(&before), NOW) {
            Ok(after) => {
                assert!(allowed, "{status:?}");
                assert_eq!(after.status, TemplateStatus::Pending);
                let Some(Task { kind: TaskKind::Edit(kept), .. }) = after.review.task else { panic!() };
                assert_eq!((kept.body.as_str(), kept.status), ("Ciao {{1}}.", status));
            }
            Err(problems) => assert!(!allowed && problems[0].pointer == "/body", "{status:?} {problems:?}"),
        }
        assert_eq!(edit(&before, before.clone(), NOW), Ok(before.clone()), "nothing changes, nobody is told");
    }
}

#[test]
fn d13_the_category_of_an_approved_template_stays() {
    let wanted = |before: &Template| Template { category: Category::Marketing, ..before.clone() };
    let approved = template(TemplateStatus::Approved);
    assert_eq!(pointers(&approved, wanted(&approved), NOW), ["/category"]);
    let rejected = template(TemplateStatus::Rejected);
    assert!(edit(&rejected, wanted(&rejected), NOW).is_ok());
}

#[test]
fn d13_an_approved_template_changes_once_a_day_and_ten_times_in_thirty_days() {
    let mut before = template(TemplateStatus::Approved);
    before.review.edited_at = vec![NOW];
    assert_eq!(pointers(&before, reworded(&before), NOW + hours(23)), ["/body"]);
    assert!(edit(&before, reworded(&before), NOW + hours(24)).is_ok());
    before.review.edited_at = (0..TEMPLATE_EDITS).map(|day| NOW + hours(24 * day as i64)).collect();
    assert_eq!(pointers(&before, reworded(&before), NOW + hours(24 * 20)), ["/body"]);
    assert!(edit(&before, reworded(&before), NOW + hours(24 * 30)).is_ok());
    before.status = TemplateStatus::Rejected;
    assert!(edit(&before, reworded(&before), NOW).is_ok(), "rejected ones as often as one likes");
}

#[test]
fn d13_a_template_that_the_provider_never_took_is_submitted_anew() {
    let before = Template { provider_id: None, ..template(TemplateStatus::Rejected) };
    let after = edit(&before, reworded(&before), NOW).unwrap();
    assert_eq!(after.review.task, Some(Task::new(TaskKind::Create)));
    let mut waiting = Template { provider_id: None, ..template(TemplateStatus::Pending) };
    submit(&mut waiting, WabaId::new("77"));
    assert_eq!(edit(&waiting, reworded(&waiting), NOW).unwrap().review.task, waiting.review.task);
    let changing = edit(&template(TemplateStatus::Approved), reworded(&before), NOW).unwrap();
    assert_eq!(pointers(&changing, before, NOW), ["/body"], "one change at a time");
}

#[test]
fn d13_deleted_templates_block_their_name_if_they_were_approved() {
    for (status, blocked) in
        [(TemplateStatus::Approved, true), (TemplateStatus::Paused, true), (TemplateStatus::Rejected, false)]
    {
        let Deletion::AfterTask(after) = delete(&template(status), NOW).unwrap() else { panic!() };
        assert!(!after.is_there());
        assert_eq!(name_free_at(&after), blocked.then(|| NOW + TEMPLATE_NAME_BLOCKED), "{status:?}");
    }
    assert_eq!(delete(&template(TemplateStatus::Disabled), NOW).unwrap_err().pointer, "/status");
    let custom = Template { kind: TemplateKind::Custom, ..template(TemplateStatus::Approved) };
    assert_eq!(delete(&custom, NOW), Ok(Deletion::Now));
    assert_eq!(name_free_at(&template(TemplateStatus::Approved)), None);
}

#[test]
fn d13_only_a_paused_template_can_go_on() {
    let paused = unpause(&template(TemplateStatus::Paused)).unwrap();
    assert_eq!(paused.review.task, Some(Task::new(TaskKind::Unpause)));
    for status in [TemplateStatus::Approved, TemplateStatus::Disabled] {
        assert_eq!(unpause(&template(status)).unwrap_err().pointer, "/status");
    }
}
