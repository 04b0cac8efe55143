package com.datanadhi.echopost.cli;

import java.util.List;

/// The help text that `-h` prints, made of a [CommandSpec]: at most 80 columns wide.
public final class HelpText {
  private static final int MAX_COLUMNS = 80;
  private static final int TERM_COLUMNS = 16;

  /// Optional arguments such as `[-n N]` are not wrapped.
  private static final String SPACE_IN_BRACKETS = " (?=[^\\[\\]]*\\])";

  private static final String NO_BREAK_SPACE = "\u00a0";

  private final StringBuilder out = new StringBuilder();

  private HelpText() {}

  /// The help text of `spec`.
  ///
  /// @param commands the commands to list in the program's own text; empty for a command's text
  public static String of(CommandSpec spec, List<CommandSpec> commands) {
    HelpText text = new HelpText();
    for (String paragraph : spec.description().split("\n\n", -1)) {
      text.paragraph(paragraph);
    }
    text.synopses(spec);
    if (spec.operand() != null) {
      text.entry(spec.operand().name(), spec.operand().description());
    }
    for (Flag flag : spec.flags()) {
      text.entry(flag.synopsis(), flag.description());
    }
    if (!commands.isEmpty()) {
      text.heading("commands, with or without a running agent ('echopost COMMAND -h' for details)");
      for (CommandSpec command : commands) {
        text.entry(command.name(), command.summary());
      }
    }
    if (!spec.environment().isEmpty()) {
      text.heading("environment");
      for (CommandSpec.Variable variable : spec.environment()) {
        text.entry(variable.name(), variable.description());
      }
    }
    text.heading("exit status");
    for (CommandSpec.ExitStatus exit : spec.exitStatuses()) {
      text.line("  " + exit.code() + "  ", exit.meaning());
    }
    return text.out.toString();
  }

  private void synopses(CommandSpec spec) {
    String lead = "usage: ";
    for (String synopsis : spec.synopses()) {
      line(lead + "echopost ", synopsis.replaceAll(SPACE_IN_BRACKETS, NO_BREAK_SPACE));
      lead = " ".repeat(lead.length());
    }
    out.append('\n');
  }

  private void heading(String text) {
    out.append('\n').append(text).append(":\n");
  }

  private void paragraph(String text) {
    line("", text);
    out.append('\n');
  }

  private void entry(String term, String text) {
    if (term.length() > TERM_COLUMNS) {
      out.append("  ").append(term).append('\n');
      line(" ".repeat(TERM_COLUMNS + 4), text);
    } else {
      line("  " + term + " ".repeat(TERM_COLUMNS + 2 - term.length()), text);
    }
  }

  /// Appends `lead` and `text`, wrapped at spaces; further lines are indented by the width of
  /// `lead`.
  private void line(String lead, String text) {
    int column = lead.length();
    out.append(lead);
    boolean first = true;
    for (String word : text.strip().split("\\s+", -1)) {
      if (!first && column + 1 + word.length() > MAX_COLUMNS) {
        out.append('\n').append(" ".repeat(lead.length()));
        column = lead.length();
        first = true;
      }
      if (!first) {
        out.append(' ');
        column++;
      }
      out.append(word.replace(NO_BREAK_SPACE, " "));
      column += word.length();
      first = false;
    }
    out.append('\n');
  }
}
