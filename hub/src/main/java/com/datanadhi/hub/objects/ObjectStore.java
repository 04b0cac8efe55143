package com.datanadhi.hub.objects;

import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A store of objects that are created once and never changed. It knows no meaning of what it
/// stores. Thread-safe.
///
/// A key consists of names with `/` between them; a name has 1 to 200 of the characters `A-Z a-z
/// 0-9 . _ - :`, and does not begin with a point; a key has at most 800 characters. Other keys
/// throw [IllegalArgumentException]. No key may be a folder of another one, as `a` is of `a/b`:
/// engines are free to refuse the second of them.
///
/// Each call throws [ObjectStoreException] with [ObjectStoreException.Kind#UNAVAILABLE] when the
/// store could not be reached or did not answer in time, and [InterruptedException] when its thread
/// is interrupted before or while it waits. Then what was asked for can have been done all the
/// same.
public interface ObjectStore extends AutoCloseable {
  /// Creates an object with the content of a file, which must not change meanwhile. When it
  /// returns, the object is as durable as the store makes it, whoever created it; it is there as a
  /// whole or not at all.
  ///
  /// The object that exists can be one that this very call has created: if the answer of the store
  /// was lost, and the engine tried again. So a caller to whom it matters who created an object
  /// compares the content.
  ///
  /// @return false if an object with this key exists, which stays as it is
  /// @throws ObjectStoreException with [ObjectStoreException.Kind#REFUSED] if the file cannot be
  ///   read, too
  boolean create(String key, Path content) throws ObjectStoreException, InterruptedException;

  /// The same with content in memory.
  boolean create(String key, byte[] content) throws ObjectStoreException, InterruptedException;

  /// An object's size and time, or null if there is none with this key.
  @Nullable ObjectInfo head(String key) throws ObjectStoreException, InterruptedException;

  /// The content of an object. Reading it throws an [java.io.IOException] if the store fails before
  /// its end. To be closed.
  ///
  /// @throws ObjectStoreException with [ObjectStoreException.Kind#MISSING] if there is none
  InputStream open(String key) throws ObjectStoreException, InterruptedException;

  /// The content of a small object.
  ///
  /// @param maxBytes a larger one is refused with [ObjectStoreException.Kind#REFUSED]
  /// @throws ObjectStoreException with [ObjectStoreException.Kind#MISSING] if there is none
  byte[] read(String key, int maxBytes) throws ObjectStoreException, InterruptedException;

  /// Gives all objects whose keys begin with `prefix` to the sink, in order of their keys as bytes,
  /// however many there are, without holding them in memory.
  ///
  /// @param prefix empty for all, or names that end with `/`
  void list(String prefix, Sink sink) throws ObjectStoreException, InterruptedException;

  /// The names that follow `prefix` and are followed by `/` in some object's key, sorted: the
  /// folders within a folder.
  ///
  /// @param prefix empty, or names that end with `/`
  List<String> folders(String prefix) throws ObjectStoreException, InterruptedException;

  /// Deletes an object. One that does not exist is no error.
  void delete(String key) throws ObjectStoreException, InterruptedException;

  /// The store's address, for messages: without credentials.
  String url();

  @Override
  void close();

  /// Takes what is listed.
  @FunctionalInterface
  interface Sink {
    /// Takes an object. What it throws ends the listing.
    ///
    /// @return whether to go on
    boolean accept(ObjectInfo object);
  }
}
