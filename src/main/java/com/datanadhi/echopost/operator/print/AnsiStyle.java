package com.datanadhi.echopost.operator.print;

/// What a word on a terminal can look like, by ECMA-48's select graphic rendition.
public enum AnsiStyle {
  STRONG("1"),
  FAINT("2"),
  GOOD("32"),
  ODD("33"),
  BAD("31");

  private final String code;

  AnsiStyle(String code) {
    this.code = code;
  }

  String on(String text) {
    return "\u001b[" + code + "m" + text + "\u001b[0m";
  }
}
