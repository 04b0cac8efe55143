package com.datanadhi.echopost.operator.command;

import com.datanadhi.echopost.cli.CommandLine;
import com.datanadhi.echopost.cli.CommandSpec;
import com.datanadhi.echopost.cli.Flag;
import java.util.List;
import java.util.stream.Collectors;

/// The man page in the macros of man(7), generated from the descriptions of the commands.
final class ManPage {
  private final StringBuilder out = new StringBuilder();

  private ManPage() {}

  static String text() {
    CommandSpec program = CommandLine.programSpec();
    ManPage page = new ManPage();
    page.line(
        ".\\\" Generated from the descriptions of the commands by scripts/manpage. Do not edit.");
    page.line(".TH ECHOPOST 1 2026-11-22 EchoPost \"User Commands\"");
    page.line(".SH NAME");
    page.line("echopost \\- " + escaped(program.summary()));
    page.line(".SH SYNOPSIS");
    page.synopses(program.synopses());
    page.line(".SH DESCRIPTION");
    page.paragraphs(program.description());
    page.line(".SH OPTIONS");
    page.line(
        escaped(
            "Flags follow the rules of Go: -x v, --x v, -x=v and --x=v are the same, and -x=false"
                + " turns off a boolean flag."));
    page.flags(program.flags());
    page.line(".SH COMMANDS");
    page.line("Commands work with or without a running agent, unless noted otherwise.");
    for (CommandSpec command : Commands.specs()) {
      page.line(".SS " + command.name());
      page.synopses(command.synopses());
      page.line(".PP");
      page.paragraphs(command.description());
      if (command.operand() != null) {
        page.entry(
            "\\fI" + escaped(command.operand().name()) + "\\fR", command.operand().description());
      }
      page.flags(command.flags());
      page.line(".PP");
      page.line("Exit status:");
      page.exitStatuses(command.exitStatuses());
    }
    page.line(".SH ENVIRONMENT");
    for (CommandSpec.Variable variable : program.environment()) {
      page.entry("\\fB" + escaped(variable.name()) + "\\fR", variable.description());
    }
    page.line(".SH EXIT STATUS");
    page.exitStatuses(program.exitStatuses());
    page.line(".SH SEE ALSO");
    page.line(".BR sqlite3 (1)");
    return page.out.toString();
  }

  private void synopses(List<String> synopses) {
    line(
        synopses.stream()
            .map(synopsis -> "\\fBechopost\\fR " + escaped(synopsis))
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
              + (flag.placeholder() == null ? "" : " \\fI" + escaped(flag.placeholder()) + "\\fR"),
          flag.description());
    }
  }

  private void exitStatuses(List<CommandSpec.ExitStatus> exitStatuses) {
    for (CommandSpec.ExitStatus exit : exitStatuses) {
      entry("\\fB" + exit.code() + "\\fR", exit.meaning());
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
