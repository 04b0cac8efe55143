package com.datanadhi.hub.http;

import com.datanadhi.hub.intake.Admission;
import com.datanadhi.hub.intake.Submission;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The lines of a batch: envelopes, and what is wrong with the others. A line of white space is
/// none, but counts in the numbers of lines, as an editor counts them.
final class Lines {
  private final List<Submission> submissions = new ArrayList<>();
  private final List<Integer> numbers = new ArrayList<>();
  private final List<Integer> indexes = new ArrayList<>();
  private final LineErrors errors = new LineErrors();
  private int count;

  /// Parses a batch.
  ///
  /// @param lease of the text
  /// @param most lines; more are refused as a whole
  /// @param keyed whether an envelope can have a key
  static Lines parse(byte[] text, Admission.Lease lease, int most, boolean keyed)
      throws ProblemException {
    Lines lines = new Lines();
    EnvelopeParser parser = new EnvelopeParser(lease);
    int number = 0;
    int from = 0;
    while (from < text.length) {
      int to = endOfLine(text, from);
      number++;
      if (!isBlank(text, from, to)) {
        if (lines.count == most) {
          throw new ProblemException(
              Problem.tooLarge(
                  "The body has more than %d lines. Send less at once.".formatted(most)));
        }
        lines.count++;
        lines.parse(parser, Arrays.copyOfRange(text, from, to), number, keyed);
      }
      from = to + 1;
    }
    return lines;
  }

  private void parse(EnvelopeParser parser, byte[] line, int number, boolean keyed)
      throws ProblemException {
    try {
      submissions.add(parser.submission(line, keyed));
      numbers.add(number);
      indexes.add(count - 1);
    } catch (NoMemoryException e) {
      throw e;
    } catch (ProblemException e) {
      errors.put(number, e.problem());
    }
  }

  private static int endOfLine(byte[] text, int from) {
    int to = from;
    while (to < text.length && text[to] != '\n') {
      to++;
    }
    return to;
  }

  private static boolean isBlank(byte[] text, int from, int to) {
    for (int i = from; i < to; i++) {
      if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r') {
        return false;
      }
    }
    return true;
  }

  /// How many there are, without blank ones.
  int count() {
    return count;
  }

  /// The lines that are envelopes.
  List<Submission> submissions() {
    return submissions;
  }

  /// The number of the line that the submission with this index is in.
  int number(int index) {
    return numbers.get(index);
  }

  /// The place of that line among those that are not blank, from 0.
  int index(int index) {
    return indexes.get(index);
  }

  LineErrors errors() {
    return errors;
  }
}
