package com.datanadhi.echopost.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServerUrlTest {
  @ParameterizedTest
  @CsvSource({
    "http://h, false, h, 80, /, /log",
    "https://h, true, h, 443, /, /log",
    "HTTP://h:5000, false, h, 5000, /, /log",
    "http://h:, false, h, 80, /, /log",
    "http://h:5000/, false, h, 5000, /, /log",
    "http://h/health, false, h, 80, /health, /health/log",
    "http://h/a/b/, false, h, 80, /a/b/, /a/b/log",
    "https://h:8443/a%20b, true, h, 8443, /a%20b, /a%20b/log",
    "http://127.0.0.1:1, false, 127.0.0.1, 1, /, /log",
    "http://[::1]:65535/x, false, ::1, 65535, /x, /x/log",
    "https://[2001:db8::1], true, 2001:db8::1, 443, /, /log",
    "http://my_service:5000/x, false, my_service, 5000, /x, /x/log",
    "http://my_service, false, my_service, 80, /, /log",
    "http://data-nadhi-server:5000, false, data-nadhi-server, 5000, /, /log",
    "' http://h ', false, h, 80, /, /log",
  })
  void a_url_is_parsed(
      String text, boolean secure, String host, int port, String path, String logPath) {
    ServerUrl url = ServerUrl.parse(text);
    assertThat(url).isEqualTo(new ServerUrl(secure, host, port, path, null));
    assertThat(url.logPath()).isEqualTo(logPath);
  }

  @ParameterizedTest
  @CsvSource({
    "http://h, h",
    "http://h:80, h",
    "https://h:443, h",
    "https://h:80, h:80",
    "http://h:5000, h:5000",
    "http://[::1], [::1]",
    "http://[::1]:81, [::1]:81",
  })
  void the_host_header_has_the_port_unless_it_is_the_default(String text, String authority) {
    assertThat(ServerUrl.parse(text).authority()).isEqualTo(authority);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | must begin with http://",
        "h:5000 | must begin with http://",
        "//h:5000 | must begin with http://",
        "ftp://h | must begin with http://",
        "http: | not a URL",
        "http://h h | not a URL",
        "http://h/a b | not a URL",
        "http://[::1 | not a URL",
        "http:///x | no usable host",
        "http:h | no usable host",
        "http://:80 | no usable host",
        "http://h:0 | bad port",
        "http://h:65536 | bad port",
        "http://h:99999999999 | bad port",
        "http://h:-1 | bad port",
        "http://my_h:x | bad port",
        "http://h? | no '?'",
        "http://h/x?a=b | no '?'",
        "http://h/# | no '#'",
      })
  void a_bad_url_is_refused_with_the_reason(String text, String message) {
    assertThatThrownBy(() -> ServerUrl.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("-health-url")
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"host", "my_host"})
  void user_info_is_decoded_and_not_shown(String host) {
    ServerUrl url = ServerUrl.parse("http://user:s3c%40ret@" + host + ":5000/x");
    assertThat(url)
        .isEqualTo(new ServerUrl(false, host, 5000, "/x", "user:s3c@ret"))
        .hasToString("http://" + host + ":5000/x");
  }

  @ParameterizedTest
  @CsvSource({
    "us@er:p@ss, us@er:p@ss",
    "user:p:a:s, user:p:a:s",
    "user:100%25, user:100%",
    "user:%2F%3f%23, user:/?#",
    "'user:^{}|\"<>`[] ;,\\', 'user:^{}|\"<>`[] ;,\\'",
    "user:pässwörd, user:pässwörd",
    "user:p%C3%A4ss, user:päss",
    "user, user",
    "user:, user:",
  })
  void a_user_and_password_may_contain_any_character(String written, String userInfo) {
    assertThat(ServerUrl.parse("http://" + written + "@h:5000/x@y"))
        .isEqualTo(new ServerUrl(false, "h", 5000, "/x@y", userInfo));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "http://user:s3/cret@h:5000 | write them as %2F",
        "http://user:s3?cret@h:5000 | write them as %2F",
        "http://user:s3#cret@h:5000 | write them as %2F",
        "http://user:12345/s3cret@h:5000 | write them as %2F",
        "http://user:s3%cret@h:5000 | write it as %25",
        "http://user:s3cret%@h:5000 | write it as %25",
        "http://user:s3cret | bad port",
      })
  void a_password_that_must_be_escaped_is_refused_and_not_quoted(String text, String message) {
    assertThatThrownBy(() -> ServerUrl.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("-health-url")
        .hasMessageContaining(message)
        .message()
        .doesNotContain("s3", "cret");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://user:s3cret@h:0",
        "http://user:s3cret@h:99999",
        "http://user:s3cret@my_host:x",
        "http://user:s3cret@h?x",
        "http://user:s3cret@h h",
        "ftp://user:s3cret@h",
        "http://user:s3cret@"
      })
  void an_error_message_quotes_no_password(String text) {
    assertThatThrownBy(() -> ServerUrl.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .message()
        .doesNotContain("s3cret");
  }

  @Test
  void the_url_is_shown_as_it_was_written() {
    assertThat(ServerUrl.parse("https://h:443/")).hasToString("https://h");
    assertThat(ServerUrl.parse("http://[::1]:5000/x")).hasToString("http://[::1]:5000/x");
  }
}
