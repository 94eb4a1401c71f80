//! Tests of the frames.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use proptest::prelude::*;

const NONCE: &str = "00112233445566778899aabbccddeeff";

fn record(key: &str, payload: &[u8]) -> String {
    let encoded = openssl::base64::encode_block(payload);
    format!("@ {NONCE} {key} 0 - {}\n{encoded}\n", encoded.len())
}

fn whole(records: &[(&str, &[u8])]) -> String {
    let body: String = records.iter().map(|(key, payload)| record(key, payload)).collect();
    format!("@ {NONCE} BEGIN 1 b64\n{body}@ {NONCE} END {}\n", records.len())
}

#[test]
fn reads_a_whole_answer_behind_noise() {
    let login = b"privilege=sudo\nuser=ops\nuid=0\nssh_connection=10.0.0.5 5000 10.0.0.9 22\n";
    let noise = "Welcome!\n@ 1234 BEGIN 1 b64\n@ 1234 x 0 - 0\n\n";
    let answer = format!("{noise}{}", whole(&[("login", login), ("host", b"a=1\nb!absent\nb=2\n")]));
    let frames = Frames::parse(answer.as_bytes(), NONCE);
    assert!(frames.complete, "{:?}", frames.problem);
    let begin = frames.begin.clone().unwrap();
    assert_eq!((begin.privilege, begin.user.as_str(), begin.uid), (Privilege::Sudo, "ops", Some(0)));
    assert_eq!(begin.from.as_deref(), Some("10.0.0.5"));
    let pairs = frames.get("host").unwrap().pairs();
    assert_eq!(pairs.get("a"), Some(&Pair::Value("1".into())));
    assert_eq!(pairs.get("b"), Some(&Pair::Missing(State::Absent)));
    assert_eq!(pairs.values("b"), ["2"]);
}

#[test]
fn a_cut_answer_keeps_what_came_and_is_partial() {
    let answer = whole(&[("one", b"first"), ("two", b"second and longer")]);
    for length in 0..answer.len() - 1 {
        let frames = Frames::parse(&answer.as_bytes()[..length], NONCE);
        assert!(!frames.complete, "cut at {length}");
    }
    let cut = answer.find(" two ").unwrap();
    let frames = Frames::parse(&answer.as_bytes()[..cut], NONCE);
    assert_eq!(frames.get("one").unwrap().payload, b"first");
}

#[test]
fn wrong_lengths_counts_and_twins_are_told() {
    let problem = |answer: &str| Frames::parse(answer.as_bytes(), NONCE).problem;
    let head = format!("@ {NONCE} BEGIN 1 b64\n");
    assert_eq!(problem("nothing here"), Some(Problem::NoBegin));
    assert_eq!(problem(&format!("@ {NONCE} BEGIN 9 b64\n")), Some(Problem::OtherProtocol));
    assert_eq!(problem(&format!("{head}@ {NONCE} END 3\n")), Some(Problem::Count));
    assert_eq!(problem(&format!("{head}@ {NONCE} k 0 - 3\nQUJD\n@ {NONCE} END 1\n")), Some(Problem::Malformed));
    assert_eq!(problem(&format!("{head}@ {NONCE} k 0 - 4\nQ!JD\n@ {NONCE} END 1\n")), Some(Problem::Malformed));
    let huge = format!("{head}@ {NONCE} k 0 - 99999999999999999999\nQUJD\n@ {NONCE} END 1\n");
    assert_eq!(problem(&huge), Some(Problem::Malformed));
    let twins = format!("{head}{}{}@ {NONCE} END 2\n", record("k", b"a"), record("k", b"b"));
    let frames = Frames::parse(twins.as_bytes(), NONCE);
    assert_eq!(frames.problem, Some(Problem::Duplicate));
    assert_eq!(frames.get("k").unwrap().payload, b"a");
}

#[test]
fn numbered_records_come_in_the_order_of_their_numbers() {
    let answer = whole(&[("f.10", b"c"), ("f.2", b"b"), ("f.x", b"-"), ("f.0", b"a")]);
    let frames = Frames::parse(answer.as_bytes(), NONCE);
    let order: Vec<usize> = frames.under("f.").iter().map(|(number, _)| *number).collect();
    assert_eq!(order, [0, 2, 10]);
}

#[test]
fn hex_payloads_are_read() {
    let answer = format!("@ {NONCE} BEGIN 1 hex\n@ {NONCE} k 1 ct 9\n41 42\n 43\n@ {NONCE} END 1\n");
    let frames = Frames::parse(answer.as_bytes(), NONCE);
    let record = frames.get("k").unwrap();
    assert_eq!((record.payload.as_slice(), record.rc, record.state()), (&b"ABC"[..], 1, State::Timeout));
    assert!(frames.complete);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = Frames::parse(&bytes, NONCE);
    }

    #[test]
    fn no_damage_makes_a_false_whole(at in 0usize..400, byte in any::<u8>(), payload in prop::collection::vec(any::<u8>(), 0..64)) {
        let sound = whole(&[("one", &payload), ("two", b"x")]).into_bytes();
        let mut broken = sound.clone();
        let at = at % broken.len();
        broken[at] = byte;
        let frames = Frames::parse(&broken, NONCE);
        prop_assert!(frames.records.len() <= 2);
        if frames.complete {
            prop_assert_eq!(frames.records.len(), 2);
        }
    }

    #[test]
    fn every_payload_comes_through(payload in prop::collection::vec(any::<u8>(), 0..3000)) {
        let frames = Frames::parse(whole(&[("k", &payload)]).as_bytes(), NONCE);
        prop_assert!(frames.complete);
        prop_assert_eq!(&frames.get("k").unwrap().payload, &payload);
    }
}

#[test]
fn an_answer_that_was_cut_anywhere_is_cut_and_nothing_else() {
    let begin = "@ aa BEGIN 1 b64\n";
    let whole = format!("{begin}@ aa login 0 - 8\nYT1iCg==\n@ aa host 0 - 12\nYT1iCmM9ZAo=\n@ aa END 2\n");
    assert!(Frames::parse(whole.as_bytes(), "aa").complete);
    for end in begin.len()..whole.len() - 1 {
        let cut = whole.get(..end).unwrap();
        assert_eq!(Frames::parse(cut.as_bytes(), "aa").problem, Some(Problem::Cut), "{cut:?}");
    }
}
