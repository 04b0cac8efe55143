package com.datanadhi.echopost.operator.print;

import com.datanadhi.json.ControlCharacters;
import java.io.Console;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// The standard streams of a command.
///
/// @param in standard input
/// @param out standard output: the result
/// @param err standard error: progress and problems
/// @param prompt asks the user a question and returns the answer, empty at the end of input; null
///   if the command is not run from a terminal
/// @param outIsTerminal whether `out` is a terminal
/// @param usesColours whether text on `out` is styled
public record Terminal(
    InputStream in,
    PrintStream out,
    PrintStream err,
    @Nullable UnaryOperator<String> prompt,
    boolean outIsTerminal,
    boolean usesColours) {
  /// The system property by which the launcher passes which standard streams are terminals, since
  /// Java cannot find that out for each stream: `out`, `err`, both in any order, or neither.
  private static final String SCREENS = "echopost.screens";

  /// Streams without input that are not terminals.
  public Terminal(PrintStream out, PrintStream err, @Nullable UnaryOperator<String> prompt) {
    this(InputStream.nullInputStream(), out, err, prompt, false, false);
  }

  /// The standard streams of this process.
  @SuppressWarnings("SystemConsoleNull") // by its documentation it can still be null
  public static Terminal ofThisProcess() {
    Console console = System.console();
    boolean isTerminal = console != null && console.isTerminal();
    boolean outIsTerminal =
        System.getProperty(SCREENS, isTerminal ? "out err" : "").contains("out");
    return new Terminal(
        System.in,
        new StandardOutput(),
        System.err,
        console == null || !isTerminal ? null : question -> ask(console, question),
        outIsTerminal,
        outIsTerminal && allowsColours(System.getenv()));
  }

  /// Whether `environment` allows colours: by <https://no-color.org>, and unless the terminal is
  /// `dumb`.
  static boolean allowsColours(Map<String, String> environment) {
    return environment.getOrDefault("NO_COLOR", "").isEmpty()
        && !environment.getOrDefault("TERM", "dumb").equals("dumb");
  }

  private static String ask(Console console, String question) {
    String line = console.readLine("%s", question);
    return line == null ? "" : line;
  }

  /// `text` in the given style, or unchanged if colours are not used.
  public String styled(AnsiStyle style, String text) {
    return usesColours ? style.apply(text) : text;
  }

  /// `text` with spaces instead of characters that control a terminal. For text from outside, such
  /// as payloads.
  public static String withoutControls(String text) {
    int[] clean = text.codePoints().map(c -> ControlCharacters.contains(c) ? ' ' : c).toArray();
    return new String(clean, 0, clean.length);
  }

  /// Prints a line on standard error, with the program's name in front.
  public void printError(String message) {
    err.println("echopost: " + message);
  }

  /// Flushes standard output.
  ///
  /// @throws ReaderClosedException if its reader has closed it
  /// @throws IOException if it cannot be written
  public void flush() throws IOException {
    if (out.checkError()) {
      IOException failure = out instanceof StandardOutput standard ? standard.failure() : null;
      if (failure instanceof ReaderClosedException) {
        throw failure;
      }
      throw new IOException(
          "standard output cannot be written: "
              + (failure == null ? "unknown error" : failure.getMessage()),
          failure);
    }
  }
}
