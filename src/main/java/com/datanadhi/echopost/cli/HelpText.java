package com.datanadhi.echopost.cli;

import java.util.List;

/// A [CommandSpec] as `-h` prints it: at most 80 columns.
public final class HelpText {
  private static final int WIDTH = 80;
  private static final int TERM = 16;

  private final StringBuilder out = new StringBuilder();

  private HelpText() {}

  /// The text about `manual`.
  ///
  /// @param commands the commands to be listed, for the program as a whole
  public static String of(CommandSpec manual, List<CommandSpec> commands) {
    HelpText text = new HelpText();
    for (String paragraph : manual.description().split("\n\n", -1)) {
      text.paragraph(paragraph);
    }
    text.forms(manual);
    if (manual.operand() != null) {
      text.entry(manual.operand().name(), manual.operand().text());
    }
    for (Flag flag : manual.flags()) {
      text.entry(flag.form(), flag.text());
    }
    if (!commands.isEmpty()) {
      text.title("commands, with or without a living agent; 'echopost COMMAND -h' says more");
      for (CommandSpec command : commands) {
        text.entry(command.name(), command.summary());
      }
    }
    if (!manual.environment().isEmpty()) {
      text.title("environment");
      for (CommandSpec.Variable variable : manual.environment()) {
        text.entry(variable.name(), variable.text());
      }
    }
    text.title("exit status");
    for (CommandSpec.Exit exit : manual.exits()) {
      text.line("  " + exit.status() + "  ", exit.text());
    }
    return text.out.toString();
  }

  private void forms(CommandSpec manual) {
    String lead = "usage: ";
    for (String form : manual.forms()) {
      line(lead + "echopost ", form);
      lead = " ".repeat(lead.length());
    }
    out.append('\n');
  }

  private void title(String text) {
    out.append('\n').append(text).append(":\n");
  }

  private void paragraph(String text) {
    line("", text);
    out.append('\n');
  }

  private void entry(String term, String text) {
    if (term.length() > TERM) {
      out.append("  ").append(term).append('\n');
      line(" ".repeat(TERM + 4), text);
    } else {
      line("  " + term + " ".repeat(TERM + 2 - term.length()), text);
    }
  }

  /// Puts `text` behind `lead`, broken at spaces, its further lines below its first.
  private void line(String lead, String text) {
    int column = lead.length();
    out.append(lead);
    boolean first = true;
    for (String word : text.strip().split("\\s+", -1)) {
      if (!first && column + 1 + word.length() > WIDTH) {
        out.append('\n').append(" ".repeat(lead.length()));
        column = lead.length();
        first = true;
      }
      if (!first) {
        out.append(' ');
        column++;
      }
      out.append(word);
      column += word.length();
      first = false;
    }
    out.append('\n');
  }
}
