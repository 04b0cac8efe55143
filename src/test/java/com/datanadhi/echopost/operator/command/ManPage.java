package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandLine;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.Flag;
import java.util.List;
import java.util.stream.Collectors;

/// The man page, in the macros of man(7), made of what the commands say of themselves.
final class ManPage {
  private final StringBuilder out = new StringBuilder();

  private ManPage() {}

  static String text() {
    CommandSpec program = CommandLine.manual();
    ManPage page = new ManPage();
    page.line(".\\\" Made from the commands' own descriptions: scripts/manpage makes it anew.");
    page.line(".TH ECHOPOST 1 2026-11-22 EchoPost \"User Commands\"");
    page.line(".SH NAME");
    page.line("echopost \\- " + escaped(program.summary()));
    page.line(".SH SYNOPSIS");
    page.forms(program.forms());
    page.line(".SH DESCRIPTION");
    page.paragraphs(program.description());
    page.line(".SH OPTIONS");
    page.line(
        escaped(
            "Flags follow Go's rules: -x v, --x v, -x=v and --x=v are the same, and a switch is"
                + " turned off by -x=false."));
    page.flags(program.flags());
    page.line(".SH COMMANDS");
    page.line("Each works whether or not an agent lives, unless it says otherwise.");
    for (CommandSpec command : Commands.manuals()) {
      page.line(".SS " + command.name());
      page.forms(command.forms());
      page.line(".PP");
      page.paragraphs(command.description());
      if (command.operand() != null) {
        page.entry("\\fI" + escaped(command.operand().name()) + "\\fR", command.operand().text());
      }
      page.flags(command.flags());
      page.line(".PP");
      page.line("Exit status:");
      page.exits(command.exits());
    }
    page.line(".SH ENVIRONMENT");
    for (CommandSpec.Variable variable : program.environment()) {
      page.entry("\\fB" + escaped(variable.name()) + "\\fR", variable.text());
    }
    page.line(".SH EXIT STATUS");
    page.exits(program.exits());
    page.line(".SH SEE ALSO");
    page.line(".BR sqlite3 (1)");
    return page.out.toString();
  }

  private void forms(List<String> forms) {
    line(
        forms.stream()
            .map(form -> "\\fBechopost\\fR " + escaped(form))
            .collect(Collectors.joining("\n.PP\n")));
  }

  private void paragraphs(String text) {
    boolean first = true;
    for (String paragraph : text.split("\n\n", -1)) {
      if (!first) {
        line(".PP");
      }
      line(escaped(paragraph.strip().replaceAll("\\s+", " ")));
      first = false;
    }
  }

  private void flags(List<Flag> flags) {
    for (Flag flag : flags) {
      entry(
          "\\fB\\-"
              + escaped(flag.name())
              + "\\fR"
              + (flag.value() == null ? "" : " \\fI" + escaped(flag.value()) + "\\fR"),
          flag.text());
    }
  }

  private void exits(List<CommandSpec.Exit> exits) {
    for (CommandSpec.Exit exit : exits) {
      entry("\\fB" + exit.status() + "\\fR", exit.text());
    }
  }

  private void entry(String term, String text) {
    line(".TP");
    line(term);
    line(escaped(text));
  }

  private void line(String line) {
    out.append(line).append('\n');
  }

  private static String escaped(String text) {
    String safe = text.replace("\\", "\\e").replace("-", "\\-");
    return safe.startsWith(".") || safe.startsWith("'") ? "\\&" + safe : safe;
  }
}
