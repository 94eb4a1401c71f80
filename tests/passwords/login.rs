//! Logging in by password and by answers to what the node asks.

use super::*;

#[test]
fn a_login_by_password() {
    let Some(bed) = Bed::up("a_login_by_password") else { return };
    let person = Person::new(|_, number| secret(&if number == 1 { "wrong".to_owned() } else { password_of("guest") }));
    let options = keyless(&bed);
    let ssh = connect(&bed, "guest", &options, &person);
    ssh.map(drop).unwrap();
    let question = |again| Question::Password { node: "edge1".into(), user: "guest".into(), again };
    assert_eq!(person.asked(), [question(false), question(true)]);
    assert!(!format!("{options:?}").contains(&password_of("guest")));
}

#[test]
fn a_password_that_stays_wrong_is_not_given_or_cannot_be_asked_for() {
    let Some(bed) = Bed::up("a_password_that_stays_wrong_is_not_given_or_cannot_be_asked_for") else { return };
    let wrong = Person::new(|_, _| secret("wrong"));
    let error = refused(connect(&bed, "guest", &keyless(&bed), &wrong));
    assert_eq!((error.reason, wrong.asked().len()), (Reason::Forbidden, 3), "{error}");
    assert!(error.message.contains("refused 3 times") && !error.message.contains("wrong\""), "{error}");

    let gives_up = Person::new(|_, _| Answer::No);
    let error = refused(connect(&bed, "guest", &keyless(&bed), &gives_up));
    assert!(error.message.contains("no password was given"), "{error}");

    let error = refused(connect(&bed, "guest", &keyless(&bed), &NobodyToAsk));
    for part in ["password", "Nobody is there to be asked", "terminal", "--identity"] {
        assert!(error.message.contains(part), "{part}: {error}");
    }
}

#[test]
fn few_tries_are_respected() {
    let Some(bed) = Bed::up("few_tries_are_respected") else { return };
    let _few = bed.sshd_drop_in("00-few.conf", "MaxAuthTries 2");
    let person = Person::new(|_, _| secret("wrong"));
    let error = refused(connect(&bed, "guest", &keyless(&bed), &person));
    assert!(person.asked().len() <= 2, "{:?}", person.asked());
    assert!(error.message.contains("MaxAuthTries"), "{error}");
}

#[test]
fn what_the_node_asks_by_itself_is_answered() {
    let Some(bed) = Bed::up("what_the_node_asks_by_itself_is_answered") else { return };
    let _asks = bed.sshd_drop_in("00-kbd.conf", "PasswordAuthentication no\nKbdInteractiveAuthentication yes");
    let person = Person::new(|_, number| secret(&if number == 1 { "wrong".to_owned() } else { password_of("guest") }));
    connect(&bed, "guest", &keyless(&bed), &person).map(drop).unwrap();
    let asked = person.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    for (question, retry) in asked.iter().zip([false, true]) {
        let Question::Prompt { text, echo, again, .. } = question else { panic!("{question:?}") };
        assert!(text.contains("Password") && !echo && *again == retry, "{question:?}");
    }
    let error = refused(connect(&bed, "guest", &keyless(&bed), &NobodyToAsk));
    assert!(error.message.contains("Nobody is there"), "{error}");
}

#[test]
fn a_key_and_then_a_password() {
    let Some(bed) = Bed::up("a_key_and_then_a_password") else { return };
    let _both = bed.sshd_drop_in("00-both.conf", "AuthenticationMethods publickey,password");
    let person = Person::new(|_, _| secret(&password_of("guest")));
    connect(&bed, "guest", &with_key(&bed), &person).map(drop).unwrap();
    assert_eq!(person.asked().len(), 1);
    let error = refused(connect(&bed, "guest", &with_key(&bed), &NobodyToAsk));
    assert!(error.message.contains("wants more from guest: password"), "{error}");
}

#[test]
fn a_password_and_then_what_the_node_asks() {
    let Some(bed) = Bed::up("a_password_and_then_what_the_node_asks") else { return };
    let _both = bed.sshd_drop_in(
        "00-two.conf",
        "KbdInteractiveAuthentication yes\nAuthenticationMethods password,keyboard-interactive",
    );
    let person = Person::new(|_, _| secret(&password_of("guest")));
    connect(&bed, "guest", &keyless(&bed), &person).map(drop).unwrap();
    assert!(
        matches!(&person.asked()[..], [Question::Password { .. }, Question::Prompt { .. }]),
        "{:?}",
        person.asked()
    );
}

#[test]
fn a_password_that_has_expired_is_named() {
    let Some(bed) = Bed::up("a_password_that_has_expired_is_named") else { return };
    bed.sh("chage -d 0 guest");
    let person = Person::new(|_, _| secret(&password_of("guest")));
    let outcome = connect(&bed, "guest", &keyless(&bed), &person).map(|mut ssh| {
        let aid = Aid { ask: &person, passwords: &Passwords::default(), tell: &|_| () };
        collect_with(&mut ssh, "edge1", None, &limits(), &aid)
    });
    bed.sh("chage -d 2026-01-01 guest");
    let told = match outcome {
        Ok(node) => node.errors.first().unwrap().message.clone(),
        Err(error) => error.message,
    };
    assert!(told.contains("expired") && told.contains("change it"), "{told}");
}
