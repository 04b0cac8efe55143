# --help or -h: prints what the head of the script says that sources this, and ends it.
case " $* " in
*' --help '* | *' -h '*)
  sed -n '1d; /^#/!q; s/^# //p' "$0"
  exit 0
  ;;
esac
