/** Passwords of at least 8 characters that lists of stolen ones begin with; compared in lower case. */
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  `admin123 admin1234 admin12345 admin123456 administrator adminadmin admin888 admin666 admin@123 admin@2024 admin@2025 admin@2026 password password1 password12 password123 password1234 passw0rd p@ssw0rd p@ssword
  pa$$word 12345678 123456789 1234567890 12345678910 0123456789 0987654321 987654321 9876543210 87654321 11111111 111111111 1111111111 00000000 0000000000 22222222 33333333 44444444 55555555 66666666
  77777777 88888888 888888888 99999999 12341234 12344321 11223344 1122334455 112233445566 123123123 123321123 123454321 147258369 159357456 789456123 741852963 963852741 1q2w3e4r 1q2w3e4r5t 1qaz2wsx
  1qaz@wsx qazwsxedc qazwsx123 zaq12wsx zaq1zaq1 qwertyui qwertyuiop qwerty123 qwerty12 qwerty1234 qwer1234 qwer4321 qweasdzxc asdfghjk asdfghjkl asdf1234 asdfasdf zxcvbnm123 zxcvbnm1 q1w2e3r4 q1w2e3r4t5
  abcd1234 abc12345 abc123456 abc123abc abcdefgh abcdefg1 abcdefg123 a1234567 a12345678 a123456789 a1b2c3d4 aa123456 aa12345678 aaaaaaaa aaa11111 qq123456 qq123456789 q123456789 w123456789 z123456789
  woaini1314 woaini520 woaini521 5201314520 1314520520 iloveyou iloveyou1 iloveyou2 sunshine princess football baseball basketball superman superman1 batman123 starwars trustno1 welcome1 welcome123 letmein1
  letmein123 changeme changeme1 changeme123 changeit default1 secret123 test1234 test12345 testtest testing123 guest123 guest1234 root1234 root12345 rootroot toor1234 master123 monkey123 dragon123 shadow123
  michael1 jennifer jordan23 liverpool chocolate computer internet whatever samsung1 samsung123 blink182 pokemon1 charlie1 michelle november december september tickwheel tickwheel1 tickwheel123 scheduler
  xxl-job123 powerjob123 cronicle123 china123 beijing123 shanghai1 wang123456 li123456789 zhang123456 88888888a 66668888 16888888 18888888 13800138000 hello123 hello1234 helloworld google123 access14
  mustang1 corvette midnight harley123 ncc1701d passpass pass1234 pass12345 password! password1! passw0rd! p@ssw0rd1 p@ssw0rd123 qwerty!@# !@#$%^&* !qaz2wsx 1234qwer 123qweasd 123qwe123 123qwe!@# 1qazxsw2`.split(
    /\s+/,
  ),
)
