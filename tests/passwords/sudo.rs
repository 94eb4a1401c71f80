//! sudo that wants a password, on one node.

use super::*;

/// Rules of sudo for one user that go away with the value.
struct Rules<'a>(&'a Bed, String);

impl<'a> Rules<'a> {
    fn put(bed: &'a Bed, name: &str, text: &str) -> Self {
        let path = format!("/etc/sudoers.d/zz-{name}");
        bed.sh(&format!("cat > {path} <<'END'\n{text}\nEND\nchmod 440 {path}\nvisudo -cq"));
        Rules(bed, path)
    }
}

impl Drop for Rules<'_> {
    fn drop(&mut self) {
        self.0.sh(&format!("rm -f {}", self.1));
    }
}

#[test]
fn sudo_asks_and_the_node_is_read_as_root() {
    let Some(bed) = Bed::up("sudo_asks_and_the_node_is_read_as_root") else { return };
    let password = password_of("asks");
    // Whatever runs on the node meanwhile is looked at: the password is in no command line and in no environment.
    // That the look is quick enough is known by what it sees of the shell behind sudo.
    bed.sh(&format!(
        "printf '%s\\n' '{password}' 'IFS= read -r l' > /run/patterns; touch /run/seen /run/looking
cat > /run/look <<'END'
while [ -e /run/looking ]; do
  cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -a -o -F -f /run/patterns
done | sort -u > /run/seen
END
systemd-run -q --unit=look --collect sh /run/look"
    ));
    let person = Person::new(|_, _| secret(&password_of("asks")));
    let (node, warnings) = read(&bed, "asks", &person);
    let seen = bed.sh(
        "rm -f /run/looking; while systemctl -q is-active look; do :; done; cat /run/seen; rm /run/look /run/seen /run/patterns",
    );
    assert_eq!(seen, "IFS= read -r l\n");
    assert_eq!(privilege(&node), Some(Privilege::Sudo));
    assert_eq!(node.login.known().unwrap().user, "asks");
    assert_eq!(warnings, [""; 0]);
    assert_eq!(person.asked(), [Question::SudoPassword { node: "edge1".into(), user: "asks".into(), again: false }]);
    assert!(!serde_json::to_string(&node).unwrap().contains(&password), "it is in the evidence");
    // sudo remembers nothing of it: the next reading is asked again.
    let person = Person::new(|_, _| secret(&password_of("asks")));
    read(&bed, "asks", &person);
    assert_eq!(person.asked().len(), 1);
}

#[test]
fn a_wrong_sudo_password_is_asked_for_again_and_never_run() {
    let Some(bed) = Bed::up("a_wrong_sudo_password_is_asked_for_again_and_never_run") else { return };
    bed.sh("rm -f /tmp/ran");
    let person =
        Person::new(|_, number| secret(&if number == 1 { "touch /tmp/ran".to_owned() } else { password_of("asks") }));
    let (node, _) = read(&bed, "asks", &person);
    assert_eq!(privilege(&node), Some(Privilege::Sudo));
    assert_eq!(person.asked().len(), 2);
    assert_eq!(bed.sh("ls /tmp/ran 2>/dev/null || true"), "", "the password was run as a command");

    let person = Person::new(|_, _| secret("touch /tmp/ran"));
    let (node, warnings) = read(&bed, "asks", &person);
    assert_eq!(privilege(&node), Some(Privilege::None));
    assert_eq!(person.asked().len(), 3);
    assert!(warnings[0].contains("refused 3 times") && warnings[0].contains("only as far as"), "{warnings:?}");
    assert!(!warnings[0].contains("/tmp/ran"));
    assert_eq!(bed.sh("ls /tmp/ran 2>/dev/null || true"), "");
    // Each wrong guess was one line, and no line of the script was another.
    let journal =
        bed.sh("journalctl -q -t sudo --since -1min -o cat | grep -o '[0-9] incorrect password attempt' || true");
    assert!(!journal.is_empty() && journal.lines().all(|line| line.starts_with('1')), "{journal}");
}

#[test]
fn without_an_answer_the_node_is_read_as_far_as_the_login_sees() {
    let Some(bed) = Bed::up("without_an_answer_the_node_is_read_as_far_as_the_login_sees") else { return };
    let (node, warnings) = read(&bed, "asks", &NobodyToAsk);
    assert_eq!(privilege(&node), Some(Privilege::None));
    assert!(warnings[0].contains("nobody is there to be asked") && warnings[0].contains("terminal"), "{warnings:?}");
    let (node, warnings) = read(&bed, "asks", &Person::new(|_, _| Answer::No));
    assert_eq!(privilege(&node), Some(Privilege::None));
    assert!(warnings[0].contains("not given"), "{warnings:?}");
    let (node, warnings) = read(&bed, "guest", &Person::new(|_, _| secret(&password_of("guest"))));
    assert_eq!(privilege(&node), Some(Privilege::None));
    assert!(warnings[0].contains("allows this user nothing"), "{warnings:?}");
}

#[test]
fn a_sudo_that_wants_a_terminal_is_named_and_nobody_is_asked() {
    let Some(bed) = Bed::up("a_sudo_that_wants_a_terminal_is_named_and_nobody_is_asked") else { return };
    let _rules = Rules::put(&bed, "tty", "Defaults:asks requiretty\nDefaults:ops requiretty");
    for user in ["asks", "ops"] {
        let person = Person::new(|_, _| panic!("asked"));
        let (node, warnings) = read(&bed, user, &person);
        assert_eq!(privilege(&node), Some(Privilege::None));
        assert!(warnings[0].contains("requiretty"), "{warnings:?}");
    }
}

#[test]
fn a_rule_for_sh_alone_is_enough_with_and_without_a_password() {
    let Some(bed) = Bed::up("a_rule_for_sh_alone_is_enough_with_and_without_a_password") else { return };
    for (rule, questions) in [("NOPASSWD: /bin/sh", 0), ("/bin/sh", 1), ("/bin/sh -c *", 1)] {
        let _rules = Rules::put(&bed, "sh", &format!("guest ALL=(root) {rule}"));
        let person = Person::new(|_, _| secret(&password_of("guest")));
        let (node, warnings) = read(&bed, "guest", &person);
        assert_eq!(privilege(&node), Some(Privilege::Sudo), "{rule}: {warnings:?}");
        assert_eq!(person.asked().len(), questions, "{rule}");
    }
}

#[test]
fn a_rule_that_does_not_allow_what_is_needed_is_named() {
    let Some(bed) = Bed::up("a_rule_that_does_not_allow_what_is_needed_is_named") else { return };
    for rule in ["/bin/sh \"\"", "/usr/bin/systemctl", "NOPASSWD: /bin/sh \"\", NOPASSWD: /bin/sh -s"] {
        let _rules = Rules::put(&bed, "narrow", &format!("guest ALL=(root) {rule}"));
        let person = Person::new(|_, _| secret(&password_of("guest")));
        let (node, warnings) = read(&bed, "guest", &person);
        assert_eq!(privilege(&node), Some(Privilege::None), "{rule}");
        assert!(warnings[0].contains("do not allow this user `sh -c` as root"), "{rule}: {warnings:?}");
    }
}

#[test]
fn words_in_another_language_a_lecture_and_a_prompt_of_ones_own_make_no_difference() {
    let Some(bed) = Bed::up("words_in_another_language_a_lecture_and_a_prompt_of_ones_own_make_no_difference") else {
        return;
    };
    bed.sh("printf 'SEID GEWARNT [x.y] @y.x@\\n' > /run/lecture");
    let _rules = Rules::put(
        &bed,
        "words",
        "Defaults:asks lecture=always, lecture_file=/run/lecture, badpass_message=\"Nochmal\", passwd_tries=1, timestamp_timeout=15",
    );
    let person = Person::new(|_, number| secret(&if number == 1 { "wrong".to_owned() } else { password_of("asks") }));
    let (node, warnings) = read(&bed, "asks", &person);
    assert_eq!(privilege(&node), Some(Privilege::Sudo), "{warnings:?}");
    assert_eq!(person.asked().len(), 2, "with one try the refusal is known by sudo's end");
}
