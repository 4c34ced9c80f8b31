//! What is made from the declaration of the command line: completions and manual pages.

use clap::CommandFactory;

use super::typed::Typed;

/// A completion script.
pub(super) fn completions(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Typed::command(), "subops", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// The manual page of the program, or of the command with these names.
pub(super) fn manual(about: &[String]) -> Result<String, String> {
    let mut command = Typed::command();
    command.build();
    for name in about {
        let found = command.find_subcommand(name).cloned();
        command = found.ok_or_else(|| format!("unknown command `{name}`"))?;
    }
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(command).render(&mut page);
    rendered.map_err(|fault| format!("the manual page cannot be written: {fault}"))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
