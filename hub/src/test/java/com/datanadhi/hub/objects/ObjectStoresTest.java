package com.datanadhi.hub.objects;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ObjectStoresTest {
  @TempDir private Path home;

  @Test
  void a_folder_is_opened_by_its_path() throws Exception {
    try (ObjectStore store = ObjectStores.open("file:" + home.resolve("o"), Map.of())) {
      assertThat(store.create("a", new byte[1])).isTrue();
      assertThat(home.resolve("o").resolve("a")).exists();
      assertThat(store.url()).isEqualTo("file:" + home.resolve("o"));
    }
  }

  @Test
  void a_relative_folder_is_below_the_working_directory() {
    try (ObjectStore store = ObjectStores.open("file:some/objects", Map.of())) {
      assertThat(store.url()).isEqualTo("file:" + Path.of("some/objects").toAbsolutePath());
    }
  }

  @Test
  void opening_a_store_creates_nothing() {
    ObjectStores.open("file:" + home.resolve("o"), Map.of()).close();
    ObjectStores.open("s3://bucket", Map.of()).close();
    assertThat(Files.exists(home.resolve("o"))).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "s3://bucket, s3://bucket",
    "s3://bucket/, s3://bucket",
    "s3://my.bucket-1/a/b, s3://my.bucket-1/a/b",
    "s3://bucket/a/b/, s3://bucket/a/b",
  })
  void a_bucket_is_opened_with_or_without_prefix(String url, String address) {
    try (ObjectStore store = ObjectStores.open(url, Map.of())) {
      assertThat(store.url()).isEqualTo(address);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "objects",
        "/objects",
        "file:",
        "file:///objects",
        "file://host/x",
        "http://host/bucket",
        "s3:",
        "S3://bucket",
        "file:a\0b",
      })
  void another_address_is_refused(String url) {
    assertThatThrownBy(() -> ObjectStores.open(url, Map.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void a_refusal_tells_the_forms() {
    assertThatThrownBy(() -> ObjectStores.open("objects", Map.of()))
        .hasMessageContaining("file:/absolute/path")
        .hasMessageContaining("file:relative/path")
        .hasMessageContaining("s3://bucket/prefix")
        .hasMessageContaining("'objects'");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "s3://",
        "s3:///a",
        "s3://ab",
        "s3://Bucket",
        "s3://buc_ket",
        "s3://user:pass@bucket",
        "s3://bucket//a",
        "s3://bucket/../a",
        "s3://bucket/a b",
        "s3://bucket/.a",
        "s3://bucket?x=y",
      })
  void a_bad_bucket_or_prefix_is_refused(String url) {
    assertThatThrownBy(() -> ObjectStores.open(url, Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("has no valid");
  }

  @ParameterizedTest
  @CsvSource({
    "HUB_S3_ENDPOINT, localhost:9000",
    "HUB_S3_ENDPOINT, ftp://host",
    "HUB_S3_ENDPOINT, http://host/path",
    "HUB_S3_ENDPOINT, https://user:secret@host",
    "AWS_ENDPOINT_URL_S3, host",
    "HUB_S3_PATH_STYLE, yes",
    "AWS_REQUEST_CHECKSUM_CALCULATION, never",
    "AWS_RESPONSE_CHECKSUM_VALIDATION, off",
  })
  void a_bad_variable_is_refused_by_its_name(String name, String value) {
    assertThatThrownBy(() -> ObjectStores.open("s3://bucket", Map.of(name, value)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(name + " is ")
        .hasMessageNotContaining("secret");
  }

  @Test
  void path_style_follows_the_endpoint_unless_it_is_set() {
    Map<String, String> server = Map.of("HUB_S3_ENDPOINT", "http://host:9000");
    assertThat(S3Settings.of("s3://bucket", Map.of()).pathStyle()).isFalse();
    assertThat(S3Settings.of("s3://bucket", server).pathStyle()).isTrue();
    assertThat(
            S3Settings.of(
                    "s3://bucket",
                    Map.of("HUB_S3_ENDPOINT", "http://h", "HUB_S3_PATH_STYLE", "false"))
                .pathStyle())
        .isFalse();
    assertThat(S3Settings.of("s3://bucket", Map.of("HUB_S3_PATH_STYLE", "true")).pathStyle())
        .isTrue();
  }

  @Test
  void the_first_variable_for_the_endpoint_counts_and_an_empty_one_does_not() {
    Map<String, String> all =
        Map.of(
            "HUB_S3_ENDPOINT", "",
            "AWS_ENDPOINT_URL_S3", "https://two",
            "AWS_ENDPOINT_URL", "https://three");
    assertThat(S3Settings.of("s3://bucket", all).endpoint()).hasToString("https://two");
  }
}
