package com.datanadhi.echopost.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OptionsTest {
  private static Options withEnvironment(String name, String value) throws UsageException {
    return Options.of(Map.of(), Map.of(name, value));
  }

  @Test
  void the_defaults_are_those_of_the_go_agent() throws UsageException {
    assertThat(Options.of(Map.of(), Map.of()))
        .isEqualTo(
            new Options(
                Path.of("./.datanadhi"),
                "",
                "http://data-nadhi-server:5000",
                PosixFilePermissions.fromString("rw-------"),
                null));
  }

  @Test
  void metrics_are_written_for_a_collector_only_if_its_directory_is_given() throws UsageException {
    assertThat(withEnvironment("ECHOPOST_TEXTFILE_DIR", "").textfileDirectory()).isNull();
    assertThat(withEnvironment("ECHOPOST_TEXTFILE_DIR", "/var/lib/x").textfileDirectory())
        .isEqualTo(Path.of("/var/lib/x"));
  }

  @Test
  void the_api_key_of_the_environment_is_used_if_the_flag_gives_none() throws UsageException {
    Map<String, String> environment = Map.of("DATANADHI_API_KEY", "from-environment");
    assertThat(Options.of(Map.of(), environment).apiKey()).isEqualTo("from-environment");
    assertThat(Options.of(Map.of("api-key", ""), environment).apiKey())
        .isEqualTo("from-environment");
    assertThat(Options.of(Map.of("api-key", "flag"), environment).apiKey()).isEqualTo("flag");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a\nb", "a\r\nX: y", "a\u0000", "\u007f", "tail\n"})
  void an_api_key_that_is_not_a_header_value_is_refused_and_not_shown(String key) {
    assertThatThrownBy(() -> Options.of(Map.of("api-key", key), Map.of()))
        .isInstanceOf(UsageException.class)
        .hasMessageStartingWith("the API key (-api-key, or DATANADHI_API_KEY) cannot be sent")
        .message()
        .doesNotContain(key)
        .doesNotContain("\n");
    assertThatThrownBy(() -> withEnvironment("DATANADHI_API_KEY", key))
        .isInstanceOf(UsageException.class)
        .hasMessageStartingWith("the API key (-api-key, or DATANADHI_API_KEY) cannot be sent");
  }

  @Test
  void the_api_key_is_not_part_of_the_text_of_the_options() throws UsageException {
    assertThat(Options.of(Map.of("api-key", "s3cret"), Map.of()).toString())
        .doesNotContain("s3cret");
  }

  @Test
  void an_empty_directory_is_refused() {
    assertThatThrownBy(() -> Options.of(Map.of("datanadhi", ""), Map.of()))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("-datanadhi is empty");
  }

  @Test
  void a_directory_that_is_not_a_path_is_refused() {
    assertThatThrownBy(() -> Options.of(Map.of("datanadhi", "a\u0000b"), Map.of()))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("-datanadhi is not a path");
  }

  @ParameterizedTest
  @CsvSource({
    "0600, rw-------",
    "600, rw-------",
    "0660, rw-rw----",
    "0666, rw-rw-rw-",
    "777, rwxrwxrwx",
    "0621, rw--w---x"
  })
  void the_socket_mode_is_octal(String mode, String permissions) throws UsageException {
    assertThat(withEnvironment("ECHOPOST_SOCKET_MODE", mode).socketMode())
        .isEqualTo(PosixFilePermissions.fromString(permissions));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "rw", "8", "0680", "06000", "1777", "0o660", "-600", " 600", "60"})
  void a_bad_socket_mode_is_refused_with_an_example(String mode) {
    assertThatThrownBy(() -> withEnvironment("ECHOPOST_SOCKET_MODE", mode))
        .isInstanceOf(UsageException.class)
        .hasMessage(
            "ECHOPOST_SOCKET_MODE is '" + mode + "': give an octal mode such as 0600 or 0660");
  }
}
