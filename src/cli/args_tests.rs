#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use clap::CommandFactory;

fn scan(arguments: &[&str]) -> Result<Scan, CliError> {
    let cli = Cli::try_parse_from(arguments).unwrap();
    match cli.command {
        Some(Command::Scan(scan)) => scan.with(cli.before),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn no_option_before_the_subcommand_is_lost() {
    let both = scan(&["sitewarden", "--node", "a", "--jobs", "2", "-v", "scan", "--node", "b", "--jobs", "3"]).unwrap();
    assert_eq!(both.look.node, ["a", "b"]);
    assert_eq!(both.look.jobs, Some(3));
    assert!(both.talk.verbose);
}

#[test]
fn an_option_that_the_subcommand_does_not_take_is_refused() {
    assert!(scan(&["sitewarden", "--size", "80x24", "scan"]).is_err());
    let cli = Cli::try_parse_from(["sitewarden", "--node", "a", "controls"]).unwrap();
    let Some(Command::Controls(controls)) = cli.command else { panic!("controls") };
    assert!(controls.with(cli.before).is_err());
}

#[test]
fn changes_allowed_before_fix_are_allowed_and_elsewhere_refused() {
    let cli =
        Cli::try_parse_from(["sitewarden", "--allow-changes", "--journal", "/j", "fix", "c", "--revert-after", "9"]);
    let Cli { before, command: Some(Command::Fix(fix)) } = cli.unwrap() else { panic!("fix") };
    let fix = fix.with(before).unwrap();
    assert!(fix.change.allow_changes && fix.change.choices().delay == Some(9));
    assert_eq!(fix.change.folder().unwrap().to_str(), Some("/j"));
    assert!(scan(&["sitewarden", "--allow-changes", "scan"]).is_err());
    let walk = Cli::try_parse_from(["sitewarden", "--local", "--allow-changes"]).unwrap();
    assert!(walk.command.is_none() && walk.before.change.allow_changes);
    assert!(Cli::try_parse_from(["sitewarden", "fix", "c", "--format", "script"]).is_err(), "without --plan it runs");
}
